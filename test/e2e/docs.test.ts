import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { CLUSTER_KINDS, KINDS, PLANNED_KINDS } from '../../drill/faults.js'

for (const document of ['docs/faults.md', 'docs/delivery.md', 'docs/security.md']) {
  t.test(`whatever ${document} says is shown, is there`, async (t) => {
    const text = readFileSync(document, 'utf8')
    const named = [...text.matchAll(/(test\/[\w/.-]+\.ts): "([^"]+)"/g)]
    t.ok(named.length > 3)
    for (const [, file, title] of named) t.ok(existsSync(file!) && readFileSync(file!, 'utf8').includes(title!), `${file}: ${title}`)
    for (const [, drilled] of text.matchAll(/drill(?:, `--stage cluster`)?: ((?:`\w+ \w+`(?:, )?)+)/g)) {
      for (const [, target, kind] of drilled!.matchAll(/`(\w+) (\w+)`/g)) {
        const kinds = [...Object.keys(KINDS[target as keyof typeof KINDS] ?? {}), ...PLANNED_KINDS[target as keyof typeof KINDS] ?? [], ...Object.keys(CLUSTER_KINDS[target as keyof typeof CLUSTER_KINDS] ?? {})]
        t.ok(kinds.includes(kind!), `${target} ${kind}`)
      }
    }
  })
}
