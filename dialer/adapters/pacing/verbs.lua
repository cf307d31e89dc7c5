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

-- head -> now ver ep hi g ready lines T learned pu free
local function head()
  local learned = s.ep > 0 and interval() or 0
  local free = s.ready == 1 and s.paused == 0 and s.cap == 0 and learned == 0 and max(s.pu, s.start) <= now
  local lines = redis.call('ZCOUNT', LINES, int(now), '+inf')
  return {now, s.ver, s.ep, s.hi, s.g, s.ready, lines, s.T, learned, s.pu, free and 1 or 0}
end

-- look campaign... -> as head {campaign ep paused free}...
local function look()
  local out = head()
  for i = 2, #ARGV do
    local id = ARGV[i]
    local c = load(key .. ':c:' .. id, CAMPAIGN_FIELDS)
    local unbound = c.T == 0 and c.cap == 0 and c.paused == 0
    out[#out + 1] = {tonumber(id), c.ep, c.paused, unbound and 1 or 0}
  end
  return out
end

local function set_campaign(id, i, uncounted)
  local name = key .. ':c:' .. id
  local c = load(name, CAMPAIGN_FIELDS)
  local paused = tonumber(ARGV[i + 5])
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
  c.cap, c.paused = tonumber(ARGV[i + 4]), paused
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

-- configured fingerprint -> as head when that is in force, else 0
local function configured()
  if s.ep > 0 and redis.call('HGET', STATE, 'cfg') == ARGV[2] then return head() end
  return 0
end

-- configure fingerprint T cap paused (campaign T n W cap paused)... -> as head
local function configure()
  local T, cap, paused = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
  local named, paced = {}, T > 0
  for i = 6, #ARGV, 6 do
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
  for i = 6, #ARGV, 6 do set_campaign(ARGV[i], i, uncounted) end
  save(STATE, FIELDS, s)
  redis.call('HSET', STATE, 'cfg', ARGV[2])
  tell('K')
  return head()
end

-- release attempt... -> lines freed
local function release()
  local freed = 0
  for i = 2, #ARGV do freed = freed + drop_line(ARGV[i]) end
  if freed > 0 then tell_line_free() end
  return freed
end

-- hold (attempt campaign ends)...: lines that the ledger knows.
local function hold()
  for i = 2, #ARGV, 3 do
    local id, campaign = ARGV[i], ARGV[i + 1]
    -- What the ledger calls live holds its line, whatever the clock says; the next round decides again.
    local ends = max(tonumber(ARGV[i + 2]), now + 60 * SECOND)
    if tonumber(redis.call('ZSCORE', LINES, id) or 0) ~= ends then
      local owner = redis.call('HGET', OWNERS, id)
      put_line(id, campaign, ends, owner and tonumber(string.match(owner, ':(.+)$')) or 0)
    end
  end
end

-- old cursor count youngest -> next cursor, before, attempt...: some of the lines that were granted longer than
-- `youngest` microseconds ago; what is younger the ledger may not show yet.
local function old()
  local before = now - tonumber(ARGV[4])
  local scanned = redis.call('HSCAN', OWNERS, ARGV[2], 'COUNT', ARGV[3])
  local out = {scanned[1], int(before)}
  for i = 1, #scanned[2], 2 do
    if tonumber(string.match(scanned[2][i + 1], ':(.+)$')) <= before then out[#out + 1] = scanned[2][i] end
  end
  return out
end

-- drop before attempt... -> lines removed, but for those granted anew since.
local function drop()
  local before, freed = tonumber(ARGV[2]), 0
  for i = 3, #ARGV do
    local owner = redis.call('HGET', OWNERS, ARGV[i])
    if owner and tonumber(string.match(owner, ':(.+)$')) <= before then freed = freed + drop_line(ARGV[i]) end
  end
  if freed > 0 then tell_line_free() end
  return freed
end

-- restored: every line that the ledger knows is held.
local function restored()
  if s.ready == 0 then
    redis.call('HSET', STATE, 'ready', '1', 'ver', int(s.ver + 1))
    tell('K')
  end
end

-- brake epoch-of-the-refused-grant microseconds interval-seen -> as head
local function brake()
  if s.ep == 0 then return head() end
  local epoch, stop = tonumber(ARGV[2]), tonumber(ARGV[3])
  -- A refusal of an older epoch, or during the pause, tells of the same event again: no second cut.
  local same = (epoch > 0 and epoch < s.ep) or now < s.pu
  local ends = now + stop
  if same and ends <= s.pu then return head() end
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
  return head()
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

-- reset epoch-seen -> as head
local function reset_once()
  if s.ep > 0 and s.ep == tonumber(ARGV[2]) then
    reset()
    save(STATE, FIELDS, s)
  end
  return head()
end

if verb == 'grant' then return grant() end
if verb == 'look' then return look() end
if verb == 'configured' then return configured() end
if verb == 'configure' then return configure() end
if verb == 'release' then return release() end
if verb == 'hold' then return hold() end
if verb == 'old' then return old() end
if verb == 'drop' then return drop() end
if verb == 'restored' then return restored() end
if verb == 'brake' then return brake() end
if verb == 'late' then return late() end
if verb == 'reset' then return reset_once() end
return redis.error_reply('ERR unknown verb')
