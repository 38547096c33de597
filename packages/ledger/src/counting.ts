/** What the record of a submission keeps of one outcome counter, so that an outcome can be counted without its ruleset. */
export interface PlannedCounter {
  /** Hash of the counter's key, as `Keys.counter` takes it. */
  readonly key: string;
  /** 16 hexadecimal digits that stand for what it counts. */
  readonly definition: string;
  readonly windowMs: number;
  /** What is counted: the submission's id, or the hash of its distinct value. */
  readonly member: string;
  /** The outcomes it tells apart; every other one is `*`. */
  readonly names: readonly string[];
  /** `<name, * or nothing>/<fraud, legit or nothing>` of each outcome that counts. */
  readonly pairs: readonly string[];
}

/**
 * Lua: `count(zset, member, score, at, window_ms)` counts a member once, at the latest of its scores, and forgets what
 * fell out of the window that ends at `at` more than a day ago. Beyond 1,000 members the oldest go. The day over the
 * window is for submissions that are judged later than younger ones: their windows begin earlier.
 */
export const COUNT = `
local function count(zset, member, score, at, window_ms)
  redis.call('ZADD', zset, 'GT', score, member)
  redis.call('ZREMRANGEBYSCORE', zset, '-inf', at - window_ms - 86400000)
  redis.call('ZREMRANGEBYRANK', zset, 0, -1001)
  redis.call('PEXPIRE', zset, window_ms + 86400000)
end
`;

/**
 * Lua, after `COUNT`: `tell(plan, zsets, line)` counts one outcome, as a record keeps it, in each planned counter that
 * it concerns; `tell_all(record, plan, zsets)` does so with those that came before there was this plan. `plan` is a list
 * of decoded counters of the field `oc`, `zsets` their keys in the same order. Call it in the script that writes the
 * plan: then no outcome is left between the two.
 */
export const TELL = `
local function tell(plan, zsets, line)
  local told = cjson.decode(line)
  for n, counter in ipairs(plan) do
    local name = told.outcome and '*' or ''
    for _, known in ipairs(counter.names) do
      if known == told.outcome then name = known end
    end
    for _, pair in ipairs(counter.pairs) do
      if pair == name .. '/' .. (told.label or '') then
        count(zsets[n], counter.member, told.occurred_at, told.occurred_at, counter.windowMs)
      end
    end
  end
end
local function tell_all(record, plan, zsets)
  for line in string.gmatch(redis.call('HGET', record, 'o') or '', '[^\\n]+') do tell(plan, zsets, line) end
end
`;
