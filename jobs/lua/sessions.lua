-- Sessions, trees of them, and the indexes of what is stale: each act keeps all of them in step.
-- ARGV: the act, the owner (a digest of the subject, which names keys), the subject itself (which only an index holds,
-- for whoever summarises what is stale), the id, and what the act takes.
local act, owner, subject, id = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local MOST_SESSIONS = 2000 -- of one tree
local SWEPT = 5

local acts = {}

local function lives(name, life_ms)
  redis.call('PEXPIRE', name, life_ms, 'NX')
  redis.call('PEXPIRE', name, life_ms, 'GT')
end

-- Some of what the subject had, taken off its list where it has expired: a list that is added to never does.
local function sweep()
  for _, holding in ipairs(redis.call('SRANDMEMBER', HOLDINGS .. owner, SWEPT)) do
    local what, its_id = string.match(holding, '^(%a+)/(.*)$')
    local prefix, index = TREE, STALE_TREES
    if what == 'session' then
      prefix, index = SESSION, STALE_SESSIONS
    end
    if redis.call('EXISTS', prefix .. owner .. ':' .. its_id) == 0 then
      redis.call('SREM', HOLDINGS .. owner, holding)
      redis.call('ZREM', index, its_id .. '/' .. subject)
    end
  end
end

local function own(holding, life_ms)
  if subject ~= '' then
    redis.call('SADD', HOLDINGS .. owner, holding)
    lives(HOLDINGS .. owner, life_ms)
    sweep()
  end
end

-- The place at the end of an index; no two have the same.
local function end_of(index)
  local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
  return int(math.max(now_us(), last and tonumber(last) + 1 or 0))
end

-- Enters something at the end of an index, unless it is there.
local function outdate(index, what, life_ms)
  redis.call('ZADD', index, 'NX', end_of(index), what .. '/' .. subject)
  lives(index, life_ms)
end

-- Lets all else that is stale come before something that is.
local function postpone(index)
  return redis.call('ZADD', index, 'XX', 'CH', end_of(index), id .. '/' .. subject)
end

local function settle(index)
  redis.call('ZREM', index, id .. '/' .. subject)
end

local function outdate_tree(tree)
  local life_ms = redis.call('HGET', TREE .. owner .. ':' .. tree, 'life')
  if life_ms then -- else it is gone
    redis.call('HINCRBY', TREE .. owner .. ':' .. tree, 'version', 1)
    outdate(STALE_TREES, tree, life_ms)
  end
end

local function outdate_trees()
  for _, tree in ipairs(redis.call('SMEMBERS', SESSION_TREES .. owner .. ':' .. id)) do
    outdate_tree(tree)
  end
end

-- Puts the session at the end of a tree, which is made if there is none; false where the tree is full.
local function join(tree, life_ms)
  local name, list = TREE .. owner .. ':' .. tree, TREE_SESSIONS .. owner .. ':' .. tree
  local last = redis.call('ZRANGE', list, -1, -1, 'WITHSCORES')[2]
  if redis.call('ZADD', list, 'NX', (tonumber(last) or 0) + 1, id) == 0 then
    return true -- it is there
  end
  if redis.call('ZCARD', list) > MOST_SESSIONS then
    redis.call('ZREM', list, id)
    return false
  end
  redis.call('HSET', name, 'life', life_ms)
  redis.call('SADD', SESSION_TREES .. owner .. ':' .. id, tree)
  for _, each in ipairs({ name, list, SESSION_TREES .. owner .. ':' .. id }) do
    lives(each, life_ms)
  end
  own('tree/' .. tree, life_ms)
  outdate_tree(tree)
  return true
end

local function leave(tree)
  if redis.call('ZREM', TREE_SESSIONS .. owner .. ':' .. tree, id) == 1 then
    redis.call('SREM', SESSION_TREES .. owner .. ':' .. id, tree)
    outdate_tree(tree)
  end
end

-- Replaces what a session holds; with `expected`, only what has that hash, and it stays in whatever trees list it: the
-- one that it named may have been put without it since, or deleted.
function acts.put_session(expected, content, hash, tree, life_ms)
  local name = SESSION .. owner .. ':' .. id
  local held = redis.call('HMGET', name, 'hash', 'summary_hash', 'tree')
  local tree_before = held[3] or ''
  if expected ~= '' then
    if held[1] ~= expected then
      return 'CHANGED'
    end
    tree = tree_before
  elseif tree ~= '' and not join(tree, life_ms) then
    return 'TREE_FULL'
  end
  if tree_before ~= '' and tree_before ~= tree then
    leave(tree_before)
  end
  redis.call('HSET', name, 'content', content, 'hash', hash, 'tree', tree, 'life', life_ms)
  lives(name, life_ms)
  lives(SESSION_TREES .. owner .. ':' .. id, life_ms)
  own('session/' .. id, life_ms)
  if hash == held[2] then
    settle(STALE_SESSIONS) -- it is again what its summary was made of
  else
    outdate(STALE_SESSIONS, id, life_ms)
  end
  if hash ~= held[1] then
    outdate_trees()
  end
  return 'PUT'
end

-- Keeps a summary of what had this hash, and says when; not where the session has a summary of what it holds now, and
-- this is none.
function acts.keep_session(hash, summary)
  local name = SESSION .. owner .. ':' .. id
  local held = redis.call('HMGET', name, 'hash', 'summary_hash', 'life', 'summarized_at')
  if not held[1] then
    return 'GONE'
  end
  if held[1] == held[2] and hash ~= held[1] then
    return held[4]
  end
  local at = stamp(now_us())
  redis.call('HSET', name, 'summary', summary, 'summary_hash', hash, 'summarized_at', at)
  lives(name, held[3])
  lives(SESSION_TREES .. owner .. ':' .. id, held[3])
  own('session/' .. id, held[3])
  if hash == held[1] then
    settle(STALE_SESSIONS)
  end
  if hash ~= held[2] then
    outdate_trees()
  end
  return at
end

-- Whether the job is to summarise what has this hash: 0 while another goes on that has begun to.
local function begin(name, hash, job)
  local begun, by = unpack(redis.call('HMGET', name, 'begun', 'begun_by'))
  local state = begun == hash and by ~= job and redis.call('HGET', key(by, 'job'), 'state')
  if state and not TERMINAL[state] then
    return 0
  end
  if redis.call('EXISTS', name) == 1 then
    redis.call('HSET', name, 'begun', hash, 'begun_by', job)
  end
  return 1
end

function acts.begin_session(hash, job)
  return begin(SESSION .. owner .. ':' .. id, hash, job)
end

function acts.begin_tree(hash, job)
  return begin(TREE .. owner .. ':' .. id, hash, job)
end

function acts.postpone_session()
  return postpone(STALE_SESSIONS)
end

function acts.postpone_tree()
  return postpone(STALE_TREES)
end

-- The first write takes no memory, so that a full store does it too.
function acts.delete_session()
  local there = redis.call('DEL', SESSION .. owner .. ':' .. id)
  settle(STALE_SESSIONS)
  redis.call('SREM', HOLDINGS .. owner, 'session/' .. id)
  outdate_trees()
  return there
end

-- Replaces the sessions of a tree.
function acts.put_tree(life_ms, ...)
  local name, list = TREE .. owner .. ':' .. id, TREE_SESSIONS .. owner .. ':' .. id
  local before, after, listed = redis.call('ZRANGE', list, 0, -1), { ... }, {}
  redis.call('DEL', list)
  for place, session in ipairs(after) do
    listed[session] = true
    redis.call('ZADD', list, place, session)
    redis.call('SADD', SESSION_TREES .. owner .. ':' .. session, id)
    lives(SESSION_TREES .. owner .. ':' .. session, life_ms)
  end
  for _, session in ipairs(before) do
    if not listed[session] then
      redis.call('SREM', SESSION_TREES .. owner .. ':' .. session, id)
    end
  end
  redis.call('HSET', name, 'life', life_ms)
  lives(name, life_ms)
  redis.call('PEXPIRE', list, life_ms)
  own('tree/' .. id, life_ms)
  if table.concat(before, ',') ~= table.concat(after, ',') then
    outdate_tree(id)
  end
  return 'PUT'
end

-- Keeps a tree's summary, and says when; what has happened to its sessions since this version is not in it.
function acts.keep_tree(version, hash, summary)
  local name = TREE .. owner .. ':' .. id
  local held = redis.call('HMGET', name, 'life', 'version')
  if not held[1] then
    return 'GONE'
  end
  local at = stamp(now_us())
  redis.call('HSET', name, 'summary', summary, 'summary_hash', hash, 'summarized_at', at)
  lives(name, held[1])
  own('tree/' .. id, held[1])
  local list = TREE_SESSIONS .. owner .. ':' .. id
  lives(list, held[1])
  for _, session in ipairs(redis.call('ZRANGE', list, 0, -1)) do
    lives(SESSION_TREES .. owner .. ':' .. session, held[1])
  end
  if held[2] == version then
    settle(STALE_TREES)
  end
  return at
end

-- Takes a tree, which is not stale after all, out of the index, unless something happened since this version.
function acts.settle_tree(version)
  if (redis.call('HGET', TREE .. owner .. ':' .. id, 'version') or '0') == version then
    settle(STALE_TREES)
  end
end

function acts.delete_tree()
  local list = TREE_SESSIONS .. owner .. ':' .. id
  local sessions = redis.call('ZRANGE', list, 0, -1)
  local there = redis.call('DEL', TREE .. owner .. ':' .. id)
  redis.call('DEL', list)
  for _, session in ipairs(sessions) do
    redis.call('SREM', SESSION_TREES .. owner .. ':' .. session, id)
  end
  settle(STALE_TREES)
  redis.call('SREM', HOLDINGS .. owner, 'tree/' .. id)
  return there
end

return acts[act](unpack(ARGV, 5))
