-- slots ---------------------------------------------------------------------------------------------------

local function first_free(from)
  local i = max(0, ceil((from - s.base) / s.g))
  local bits = redis.call('STRLEN', CAL) * 8
  if i >= bits then return s.base + i * s.g end
  local clear = redis.call('BITPOS', CAL, 0, int(i), '-1', 'BIT')
  return s.base + (clear < 0 and bits or clear) * s.g
end

local function earliest(c, ring)
  local from = max(s.soonest, c.nx)
  if c.T == 0 then return from end
  local nth = redis.call('LINDEX', ring, -c.n)
  if nth then from = max(from, nth + c.W) end
  return max(from, c.last + 1)
end

local function claim(c, slot, ring)
  if s.g > 0 then redis.call('SETBIT', CAL, int((slot - s.base) / s.g), 1) end
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
  -- Who stood still too long between grant and intent finds its line given to another: one of them must not call.
  if has_line and too_many(c) or not has_line and not line_free(c) then
    redis.call('SET', key .. ':f', '1', 'PX', '2000')
    return nil, FULL, 0
  end
  local ring = key .. ':r:' .. c.id
  local slot = 0
  if s.g > 0 or c.T > 0 then
    slot = earliest(c, ring)
    if s.g > 0 then slot = first_free(slot) end
    if slot > now + horizon then return nil, LATER, slot - horizon end
    claim(c, slot, ring)
  elseif max(s.start, s.pu) > now then
    return nil, LATER, max(s.start, s.pu)
  end
  if not has_line then s.lines, c.lines = s.lines + 1, c.lines + 1 end
  put_line(id, c.id, max(slot, now) + life, now)
  return slot
end

local function load_campaign(id)
  local c = load(key .. ':c:' .. id, CAMPAIGN_FIELDS)
  c.id, c.lines = id, redis.call('ZCARD', key .. ':l:' .. id)
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
  redis.call('HSET', key .. ':c:' .. id, 'nx', int(c.nx), 'last', int(c.last))
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
