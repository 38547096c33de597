/** The one group that reads the stream `archive`. */
export const ARCHIVE_GROUP = "archive";

/**
 * Lua: `keep(archive, backlog, group, max_bytes, fields)` adds an entry, a list of names and values in turns, to what
 * waits for the archive. Beyond `max_bytes` the oldest go, wherever the group stands, and are counted; a ruleset that goes
 * may be told again. The count of bytes starts anew with the first entry, as whoever empties the stream by hand does not
 * know of it.
 */
export const KEEP = `
local function keep(archive, backlog, group, max_bytes, fields)
  local function size_of(list)
    local size = 0
    for at = 2, #list, 2 do size = size + #list[at] end
    return size
  end
  redis.call('XADD', archive, '*', unpack(fields))
  if redis.call('XLEN', archive) == 1 then redis.call('HDEL', backlog, 'bytes') end
  local bytes = redis.call('HINCRBY', backlog, 'bytes', size_of(fields))
  while bytes > tonumber(max_bytes) do
    local oldest = redis.call('XRANGE', archive, '-', '+', 'COUNT', 1)[1]
    if not oldest then redis.call('HDEL', backlog, 'bytes') break end
    local size = size_of(oldest[2])
    redis.call('XACK', archive, group, oldest[1])
    redis.call('XDEL', archive, oldest[1])
    bytes = redis.call('HINCRBY', backlog, 'bytes', -size)
    redis.call('HINCRBY', backlog, 'dropped', 1)
    redis.call('HINCRBY', backlog, 'dropped_bytes', size)
    if oldest[2][2] == 'ruleset' then redis.call('HDEL', backlog, 'ruleset:' .. oldest[2][4]) end
  end
end
`;
