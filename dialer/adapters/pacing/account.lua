-- Everything Redis decides about one account's pace. `clock` is what TIME answers (script.py). KEYS[1] is the account's prefix (one hash tag, so one
-- Cluster slot); ARGV[1] the verb. Needs Redis 7.0 (BITPOS ... BIT) or Valkey.
--
-- All times are whole microseconds of Redis's own clock: 1.7e15 is below 2^53, so doubles hold them exactly.
-- Lua prints only 14 digits, so numbers become text by int() alone. Intervals are rounded up, never down.
--
--   :s        hash    the account        :c:<id>  hash  a campaign        :cs   set   campaigns configured
--   :cal      bitmap  bit i: the slot base + i*g is claimed
--   :l        zset    lines, by when they run out    :l:<id>  the campaign's part
--   :o        hash    line -> campaign:when granted
--   :r:<id>   list    a campaign's last n slots                           :f    flag  somebody waits for a line
--   :ev       channel A: void all, C: void a campaign, F: a line came free, K: look again

local key, verb = KEYS[1], ARGV[1]
local STATE, CAL, LINES, OWNERS = key .. ':s', key .. ':cal', key .. ':l', key .. ':o'
local CAMPAIGNS = key .. ':cs'
local SECOND, LATER, FULL, PAUSED = 1000000, 1, 2, 3
local COLD_START = SECOND + 5000
local now = clock[1] * SECOND + clock[2]
local max, min, ceil = math.max, math.min, math.ceil

local FIELDS = {'ep', 'ver', 'T', 'cap', 'paused', 'ready', 'start', 'base', 'g', 'hi', 'pu', 'w', 'mt', 'lt'}
local CAMPAIGN_FIELDS = {'ep', 'T', 'n', 'W', 'cap', 'paused', 'nx', 'last'}

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
  local m = max(0.25, s.w / SECOND * (1 + 0.15 * bend ^ 3))
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
  for _, id in ipairs(redis.call('SMEMBERS', CAMPAIGNS)) do
    redis.call('HSET', key .. ':c:' .. id, 'nx', '0', 'last', '0')
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

local function too_many(c)
  return c.cap > 0 and c.lines > c.cap or s.cap > 0 and s.lines > s.cap
end

-- True when a line is to be had for one more call of this campaign. Who gets it is dealt by the feeder.
local function line_free(c)
  return (c.cap == 0 or c.lines < c.cap) and (s.cap == 0 or s.lines < s.cap)
end
