-- Everything Redis decides about one account's pace. KEYS[1] is the account's prefix (one hash tag, so one
-- Cluster slot); ARGV[1] the verb. Needs Redis 7.0 (BITPOS ... BIT) or Valkey.
--
-- All times are whole microseconds of Redis's own clock: 1.7e15 is below 2^53, so doubles hold them exactly.
-- Lua prints only 14 digits, so numbers become text by int() alone. Intervals are rounded up, never down.
--
--   :s        hash    the account        :c:<id>  hash  a campaign        :cs   set   campaigns configured
--   :cal      bitmap  bit i: the slot base + i*g is claimed               :b    zset  campaigns waiting for the rate
--   :l        zset    lines, by when they run out    :l:<id>  the campaign's part
--   :o        hash    line -> campaign:when granted                       :w    zset  campaigns waiting for a line
--   :r:<id>   list    a campaign's last n slots                           :f    flag  somebody waits for a line
--   :ev       channel A: void all, C: void a campaign, F: a line came free, K: look again

local key, verb = KEYS[1], ARGV[1]
local STATE, CAL, LINES, OWNERS = key .. ':s', key .. ':cal', key .. ':l', key .. ':o'
local CAMPAIGNS, PACED, WANTING = key .. ':cs', key .. ':b', key .. ':w'
local SECOND, LATER, FULL, PAUSED = 1000000, 1, 2, 3
local COLD_START = SECOND + 5000
local clock = redis.call('TIME')
local now = clock[1] * SECOND + clock[2]
local max, min, ceil = math.max, math.min, math.ceil

local FIELDS = {'ep', 'ver', 'T', 'cap', 'paused', 'ready', 'start', 'base', 'g', 'hi', 'pu', 'w', 'mt', 'lt', 'bo'}
local CAMPAIGN_FIELDS = {'ep', 'T', 'n', 'W', 'cap', 'weight', 'paused', 'nx', 'last', 'fx'}

local function int(x) return string.format('%.0f', x) end

local function load(name, fields)
  local raw, out = redis.call('HMGET', name, unpack(fields)), {}
  for i, field in ipairs(fields) do out[field] = tonumber(raw[i]) or 0 end
  return out
end

local function save(name, fields, values)
  local args = {}
  for _, field in ipairs(fields) do
    args[#args + 1] = field
    args[#args + 1] = int(values[field])
  end
  redis.call('HSET', name, unpack(args))
end

local function tell(message) redis.call('PUBLISH', key .. ':ev', message) end

local function tell_line_free()
  if redis.call('DEL', key .. ':f') > 0 then tell('F') end
end

local s = load(STATE, FIELDS)

-- A new epoch voids every grant already given.
local function void_all()
  s.ep = s.ep + 1
  s.ver = s.ver + 1
  tell('A ' .. int(s.ep))
end

-- The part of the rate in use, by the time since the brake ended: cubic, see domain/pacing.py.
local function multiplier()
  if s.w == 0 then return 1 end
  local bend = max(0, now - s.mt) / (30 * SECOND) - 1
  local m = max(0.05, s.w / SECOND * (1 + 0.15 * bend ^ 3))
  -- An account without a configured rate keeps probing past what it learned, and forgets it in the end.
  if s.T == 0 and bend < 9 then return m end
  if m < 1 then return m end
  s.w, s.lt = 0, 0
  return 1
end

local function interval()
  local m = multiplier()
  local t = s.T > 0 and s.T or s.lt
  return ceil(t / m)
end

local function new_grid(first)
  s.base = first
  redis.call('DEL', CAL)
end

-- Redis's clock was set, or a replica that knows less took over: what is stored ahead of now is worthless.
local function reset()
  local back = max(0, s.hi - now)
  for _, at in ipairs({'pu', 'mt'}) do
    if s[at] > now then s[at] = max(0, s[at] - back) end
  end
  s.hi, s.start = now, now + COLD_START
  new_grid(s.start)
  redis.call('DEL', PACED, WANTING)
  for _, id in ipairs(redis.call('SMEMBERS', CAMPAIGNS)) do
    redis.call('HSET', key .. ':c:' .. id, 'nx', '0', 'last', '0', 'fx', '0')
    redis.call('DEL', key .. ':r:' .. id)
  end
  void_all()
end

-- lines ---------------------------------------------------------------------------------------------------

local function drop_line(id)
  local owner = redis.call('HGET', OWNERS, id)
  local gone = redis.call('ZREM', LINES, id)
  if owner then
    redis.call('ZREM', key .. ':l:' .. string.match(owner, '^[^:]+'), id)
    redis.call('HDEL', OWNERS, id)
  end
  return gone
end

local function put_line(id, campaign, ends, born)
  redis.call('ZADD', LINES, int(ends), id)
  redis.call('ZADD', key .. ':l:' .. campaign, int(ends), id)
  redis.call('HSET', OWNERS, id, campaign .. ':' .. int(born))
end

local function drop_expired()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', LINES, '-inf', int(now))) do drop_line(id) end
end

-- Sum of the weights of the other campaigns whose entry in a zset ("id:weight") still counts.
local function others(zset, since, campaign)
  local sum = 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', zset, int(since), '+inf')) do
    local id, weight = string.match(member, '^([^:]+):(.+)$')
    if id ~= campaign then sum = sum + tonumber(weight) end
  end
  return sum
end

-- True when a line is to be had for one more call of this campaign.
local function line_free(c)
  if c.cap > 0 and c.lines >= c.cap then return false end
  if s.cap == 0 then return true end
  local share = s.cap
  if c.rivals > 0 then share = s.cap * c.weight / (c.weight + c.rivals) end
  if s.lines < s.cap and c.lines < share then return true end
  redis.call('ZADD', WANTING, int(now), c.member)
  c.wanting = true
  return false
end

-- slots ---------------------------------------------------------------------------------------------------

local function first_free(from)
  local i = max(0, ceil((from - s.base) / s.g))
  local bits = redis.call('STRLEN', CAL) * 8
  if i >= bits then return s.base + i * s.g end
  local clear = redis.call('BITPOS', CAL, 0, int(i), '-1', 'BIT')
  return s.base + (clear < 0 and bits or clear) * s.g
end

-- The account's slot for this campaign: its turn among those who wait, unless the very next slot would go idle.
-- A campaign bound by its own limit takes a slot far ahead without blocking those before it.
local function account_slot(c, from)
  local soonest = first_free(s.soonest)
  if from > soonest + s.g then
    redis.call('ZREM', PACED, c.member)
    return first_free(from)
  end
  local round = ceil(s.g * (c.weight + c.waiting) / c.weight)
  if c.waiting > 0 and soonest >= s.soonest + s.g then from = max(from, c.fx) end
  local slot = first_free(from)
  redis.call('ZADD', PACED, int(slot + round + 300000), c.member)
  c.round = round
  return slot
end

local function earliest(c, ring)
  local from = max(s.soonest, c.nx)
  if c.T == 0 then return from end
  local nth = redis.call('LINDEX', ring, -c.n)
  if nth then from = max(from, nth + c.W) end
  return max(from, c.last + 1)
end

local function claim(c, slot, ring)
  if s.g > 0 then
    redis.call('SETBIT', CAL, int((slot - s.base) / s.g), 1)
    if c.round and slot >= c.fx then
      c.fx = (slot - c.fx <= c.round) and c.fx + c.round or slot + c.round
    end
  end
  s.hi = max(s.hi, slot)
  if c.T > 0 then
    -- A delay by the account's grid does not add up: the next slot is counted from the ideal line.
    c.nx = (slot - c.nx <= s.g) and c.nx + c.T or slot + c.T
    c.last = slot
    redis.call('RPUSH', ring, int(slot))
    redis.call('LTRIM', ring, -c.n, -1)
  end
end

-- A slot for one attempt: the slot (0: at once), or nothing with why and when to ask again.
local function grant_one(c, id, horizon, life)
  local has_line = redis.call('ZSCORE', LINES, id)
  if not has_line and not line_free(c) then
    redis.call('SET', key .. ':f', '1', 'PX', '2000')
    return nil, FULL, 0
  end
  local ring = key .. ':r:' .. c.id
  local slot = 0
  if s.g > 0 or c.T > 0 then
    slot = earliest(c, ring)
    if s.g > 0 then slot = account_slot(c, slot) end
    if slot > now + horizon then return nil, LATER, slot - horizon end
    claim(c, slot, ring)
  elseif max(s.start, s.pu) > now then
    return nil, LATER, max(s.start, s.pu)
  end
  if not has_line then
    s.lines, c.lines = s.lines + 1, c.lines + 1
    put_line(id, c.id, max(slot, now) + life, now)
  end
  return slot
end

local function load_campaign(id)
  local c = load(key .. ':c:' .. id, CAMPAIGN_FIELDS)
  c.id, c.member = id, id .. ':' .. int(c.weight)
  c.lines = redis.call('ZCARD', key .. ':l:' .. id)
  c.rivals = s.cap > 0 and others(WANTING, now - 400000, id) or 0
  c.waiting = s.g > 0 and others(PACED, now, id) or 0
  return c
end

local function grant_campaign(id, first, count, horizon, life)
  local c = load_campaign(id)
  local out = {tonumber(id), c.ep, c.T, 0, 0}
  if c.ep == 0 or c.paused == 1 or s.paused == 1 then
    out[4] = PAUSED
    return out
  end
  for i = first, first + count - 1 do
    local slot, why, again = grant_one(c, ARGV[i], horizon, life)
    if not slot then
      out[4], out[5] = why, again
      break
    end
    out[#out + 1] = slot
  end
  if not c.wanting and s.cap > 0 then redis.call('ZREM', WANTING, c.member) end
  redis.call('HSET', key .. ':c:' .. id, 'nx', int(c.nx), 'last', int(c.last), 'fx', int(c.fx))
  return out
end

local function prepare_grid(lead, horizon)
  if s.hi > now + horizon + 2 * SECOND then reset() end
  s.start = min(s.start, now + COLD_START)
  s.soonest = max(now + lead, s.start, s.pu)
  local g = interval()
  if g == 0 then
    s.g = 0
    return
  end
  -- While a rate recovers the grid follows in steps, each beginning behind what is claimed already.
  if s.g == 0 or math.abs(g - s.g) > s.g * 0.02 or (s.w == 0 and g ~= s.g) or (s.hi - s.base) / s.g > 60000 then
    s.g = g
    new_grid(s.hi + g)
  end
  -- Idle time is not saved up, nor does an idle account wait for the old grid's next tick.
  if s.hi + s.g <= s.soonest then new_grid(s.soonest) end
end

-- verbs ---------------------------------------------------------------------------------------------------

-- grant lead horizon life (campaign count attempt...)... -> now ver ep hi g ready {campaign ep T why hint slot...}...
local function grant()
  if s.ep == 0 or s.ready == 0 then return {now, s.ver, s.ep, 0, 0, 0} end
  local lead, horizon, life = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
  drop_expired()
  prepare_grid(lead, horizon)
  s.lines = redis.call('ZCARD', LINES)
  local answers, i = {}, 5
  while i <= #ARGV do
    local count = tonumber(ARGV[i + 1])
    answers[#answers + 1] = grant_campaign(ARGV[i], i + 2, count, horizon, life)
    i = i + 2 + count
  end
  save(STATE, FIELDS, s)
  return {now, s.ver, s.ep, s.hi, s.g, 1, unpack(answers)}
end

-- look -> now ver ep hi g ready lines T learned pu free {campaign ep paused free}...
local function look()
  local learned = s.ep > 0 and interval() or 0
  local free = s.ready == 1 and s.paused == 0 and s.cap == 0 and learned == 0 and max(s.pu, s.start) <= now
  local lines = redis.call('ZCOUNT', LINES, int(now), '+inf')
  local out = {now, s.ver, s.ep, s.hi, s.g, s.ready, lines, s.T, learned, s.pu, free and 1 or 0}
  for _, id in ipairs(redis.call('SMEMBERS', CAMPAIGNS)) do
    local c = load(key .. ':c:' .. id, CAMPAIGN_FIELDS)
    local unbound = c.T == 0 and c.cap == 0 and c.paused == 0
    out[#out + 1] = {tonumber(id), c.ep, c.paused, unbound and 1 or 0}
  end
  return out
end

local function set_campaign(id, i, uncounted)
  local name = key .. ':c:' .. id
  local c = load(name, CAMPAIGN_FIELDS)
  local paused = tonumber(ARGV[i + 6])
  local stops = c.ep > 0 and paused == 1 and c.paused == 0
  -- Without any limit no lines were counted; the ledger must name them before a cap can be kept.
  if uncounted and c.ep > 0 and c.T == 0 and c.cap == 0 and (s.cap > 0 or tonumber(ARGV[i + 4]) > 0) then
    s.ready = 0
  end
  if c.ep == 0 then c.ep = now end
  if stops then
    c.ep = c.ep + 1
    tell('C ' .. id .. ' ' .. int(c.ep))
  end
  local before = c.T
  c.T, c.n, c.W = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  c.cap, c.weight, c.paused = tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5]), paused
  if c.T ~= before then c.nx = c.last > 0 and c.last + c.T or 0 end
  save(name, CAMPAIGN_FIELDS, c)
  redis.call('PERSIST', name)
  redis.call('SADD', CAMPAIGNS, id)
end

local function drop_campaign(id)
  local name = key .. ':c:' .. id
  local epoch = redis.call('HINCRBY', name, 'ep', 1)
  redis.call('HSET', name, 'paused', '1')
  redis.call('EXPIRE', name, 3600)
  redis.call('EXPIRE', key .. ':r:' .. id, 3600)
  redis.call('SREM', CAMPAIGNS, id)
  tell('C ' .. id .. ' ' .. int(epoch))
end

-- configure fingerprint T cap paused (campaign T n W cap weight paused)... -> as look
local function configure()
  if s.ep > 0 and redis.call('HGET', STATE, 'cfg') == ARGV[2] then return look() end
  local T, cap, paused = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
  local named, paced = {}, T > 0
  for i = 6, #ARGV, 7 do
    named[ARGV[i]] = true
    paced = paced or tonumber(ARGV[i + 1]) > 0
  end
  local uncounted = s.ep > 0 and s.T == 0 and s.cap == 0
  if s.ep == 0 then
    -- Nothing is known: whatever was granted before the loss must be over before anything new leaves.
    s.ep = now
    s.start = paced and now + COLD_START or now
    tell('A ' .. int(s.ep))
  elseif paused == 1 and s.paused == 0 then
    void_all()
  end
  s.T, s.cap, s.paused, s.ver = T, cap, paused, s.ver + 1
  for _, id in ipairs(redis.call('SMEMBERS', CAMPAIGNS)) do
    if not named[id] then drop_campaign(id) end
  end
  for i = 6, #ARGV, 7 do set_campaign(ARGV[i], i, uncounted) end
  save(STATE, FIELDS, s)
  redis.call('HSET', STATE, 'cfg', ARGV[2])
  tell('K')
  return look()
end

-- release attempt... -> lines freed
local function release()
  local freed = 0
  for i = 2, #ARGV do freed = freed + drop_line(ARGV[i]) end
  if freed > 0 then tell_line_free() end
  return freed
end

-- restore youngest (attempt campaign ends)... -> lines removed. A line granted after `youngest` microseconds ago
-- stays, for its intent may not be in the ledger yet.
local function restore()
  local young, live = now - tonumber(ARGV[2]), {}
  for i = 3, #ARGV, 3 do
    local id, campaign = ARGV[i], ARGV[i + 1]
    live[id] = true
    local owner = redis.call('HGET', OWNERS, id)
    -- What the ledger calls live holds its line, whatever the clock says; the next restore decides again.
    local ends = max(tonumber(ARGV[i + 2]), now + 60 * SECOND)
    put_line(id, campaign, ends, owner and tonumber(string.match(owner, ':(.+)$')) or 0)
  end
  local freed = 0
  for _, id in ipairs(redis.call('ZRANGE', LINES, 0, -1)) do
    local owner = redis.call('HGET', OWNERS, id)
    local born = owner and tonumber(string.match(owner, ':(.+)$')) or 0
    if not live[id] and born <= young then freed = freed + drop_line(id) end
  end
  if s.ready == 0 then
    redis.call('HSET', STATE, 'ready', '1', 'ver', int(s.ver + 1))
    tell('K')
  end
  if freed > 0 then tell_line_free() end
  return freed
end

local function back_off()
  if s.bo > 0 and now - s.mt < max(5 * SECOND, 2 * s.bo) then return min(60 * SECOND, 2 * s.bo) end
  return SECOND
end

-- brake epoch-of-the-refused-grant microseconds(-1: unknown) interval-seen -> as look
local function brake()
  if s.ep == 0 then return look() end
  local epoch, stop = tonumber(ARGV[2]), tonumber(ARGV[3])
  -- A refusal of an older epoch, or during the pause, tells of the same event again: no second cut.
  local same = (epoch > 0 and epoch < s.ep) or now < s.pu
  if stop < 0 then
    if same then return look() end
    stop = back_off()
    s.bo = stop
  end
  local ends = now + stop
  if same and ends <= s.pu then return look() end
  if not same then
    local part = multiplier()
    if s.T == 0 and s.lt == 0 then s.lt = max(1, tonumber(ARGV[4])) end
    s.w = max(1, ceil(part * SECOND))
  end
  s.pu = max(s.pu, ends)
  if s.w > 0 then s.mt = s.pu end
  s.g = interval()
  s.hi = min(s.hi, now)
  new_grid(s.pu)
  if s.g > 0 then new_grid(max(s.pu, s.hi + s.g)) end
  void_all()
  save(STATE, FIELDS, s)
  return look()
end

-- late epoch campaign slot microseconds -> 1 when the call may still go: everything behind it moves by so much.
local function late()
  if s.ep ~= tonumber(ARGV[2]) or s.ready == 0 then return 0 end
  local slot, shift = tonumber(ARGV[4]), tonumber(ARGV[5])
  if s.g > 0 then
    s.hi = s.hi + shift
    new_grid(s.hi + s.g)
    save(STATE, FIELDS, s)
  end
  local ring = key .. ':r:' .. ARGV[3]
  local at = redis.call('LPOS', ring, int(slot))
  if at then
    redis.call('LSET', ring, at, int(slot + shift))
    redis.call('HINCRBY', key .. ':c:' .. ARGV[3], 'nx', int(shift))
  end
  return 1
end

-- reset epoch-seen -> as look
local function reset_once()
  if s.ep > 0 and s.ep == tonumber(ARGV[2]) then
    reset()
    save(STATE, FIELDS, s)
  end
  return look()
end

if verb == 'grant' then return grant() end
if verb == 'look' then return look() end
if verb == 'configure' then return configure() end
if verb == 'release' then return release() end
if verb == 'restore' then return restore() end
if verb == 'brake' then return brake() end
if verb == 'late' then return late() end
if verb == 'reset' then return reset_once() end
return redis.error_reply('ERR unknown verb')
