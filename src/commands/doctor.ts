import type { Env } from '../doctor/configuration.js'
import { examineAll } from '../doctor/examination.js'
import { type Mark, verdictOf } from '../doctor/finding.js'
import { asJson, asText } from '../doctor/report.js'

const EXIT_CODES: Record<Mark, number> = { ok: 0, wrong: 1, warn: 2 }
/** A look-up of a name cannot be given up: it must not hold the end up. */
const END_MS = 500

/** @returns the exit code */
export async function runDoctor (env: Env, { json }: { json: boolean }): Promise<number> {
  const findings = await examineAll(env, Date.now)
  const colour = Boolean(process.stdout.isTTY) && !env.NO_COLOR
  console.log(json ? asJson(findings, new Date()) : asText(findings, colour))
  const code = EXIT_CODES[verdictOf(findings)]
  setTimeout(() => process.exit(code), END_MS).unref()
  return code
}
