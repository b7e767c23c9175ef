import type { Test } from 'tap'
import type { Env } from '../../src/doctor/configuration.js'
import { examineAll } from '../../src/doctor/examination.js'
import type { Finding, Mark } from '../../src/doctor/finding.js'
import { asJson, asText } from '../../src/doctor/report.js'

/** What was found, by subject and check; every finding is also held against what all of them promise. */
export type Found = Map<string, Finding>

export async function lookAt (t: Test, env: Env, now: () => number = Date.now): Promise<Found> {
  const findings = await examineAll(env, now)
  const report = `${asText(findings, false)}\n${asJson(findings, new Date())}`
  for (const secret of secretsOf(env)) t.notOk(report.includes(secret), 'no secret is shown')
  for (const { mark, check, found, advice } of findings) t.ok(found !== '' && (mark === 'ok') === (advice === null), `${check} says what was found, and what to do if it is not well`)
  const found = new Map(findings.map((finding) => [`${finding.subject} ${finding.check}`, finding]))
  t.equal(found.size, findings.length, 'nothing is told twice')
  return found
}

/** Those that are not well, without what a test server may be: not durable. */
export function faultsIn (found: Found): string[] {
  return [...found].filter(([name, { mark }]) => mark !== 'ok' && name !== 'postgres durability').map(([name, { mark }]) => `${mark} ${name}`)
}

export function isFound (t: Test, found: Found, name: string, mark: Mark, text: RegExp): void {
  const finding = found.get(name)
  t.ok(finding?.mark === mark && text.test(finding.found), `${name}: ${mark} ${String(text)} (${finding ? `${finding.mark} ${finding.found}` : 'not told'})`)
}

/** A password that is also the user's name is no secret of these tests. */
function secretsOf (env: Env): string[] {
  const passwords = ['DATABASE_URL', 'REDIS_URL', 'AMQP_URL'].flatMap((name) => {
    const [, user, password] = /:\/\/([^:@/]*):([^@/]*)@/.exec(env[name] ?? '') ?? []
    return password && password !== user ? [password, decodeURIComponent(password)] : []
  })
  return [...passwords, ...(env.JWT_SECRET ? env.JWT_SECRET.split(',') : [])]
}
