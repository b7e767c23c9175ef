/** Words that may stand where a metric's name may. */
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset'])

export interface Query {
  metrics: string[]
  /** In braces and in `by (...)` and the like. */
  labels: string[]
  /** Those that must be equal: `path="broker"`. */
  equal: Array<[label: string, value: string]>
}

/** What an expression names, read simply: no PromQL parser, but it knows all that ours are made of. */
export function readQuery (expression: string): Query {
  const matchers = [...expression.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)]
  const grouped = [...expression.matchAll(/\b(?:by|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, names]) => names!.split(',').map((name) => name.trim()))
  const bare = expression.replace(/\{[^}]*\}/g, '').replace(/\[[^\]]*\]/g, '').replace(/\b(?:by|on|ignoring)\s*\([^)]*\)/g, ' ')
  const names = [...bare.matchAll(/(?<![\w.])[a-zA-Z_][\w:]*(?!\s*\(|\w|:)/g)].map(([name]) => name).filter((name) => !WORDS.has(name))
  return {
    metrics: [...new Set(names)],
    labels: [...new Set([...matchers.map(([, label]) => label!), ...grouped])],
    equal: matchers.filter(([, , sign]) => sign === '=').map(([, label, , value]) => [label!, value!])
  }
}
