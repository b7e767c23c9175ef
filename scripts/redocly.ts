import { spawnSync } from 'node:child_process'

/** Everything it does here works without a network. */
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', REDOCLY_SUPPRESS_NOTIFICATIONS: 'true' }

/** @throws when it fails for another reason than what it was to find */
export function redocly (...args: string[]): { passed: boolean, output: string, report: string } {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['node_modules/@redocly/cli/bin/cli.js', ...args], { encoding: 'utf8', env: { ...process.env, ...QUIET }, maxBuffer: 64 * 1024 * 1024 })
  if (error || status === null || status > 1) throw error ?? new Error(stderr)
  return { passed: status === 0, output: stdout, report: stderr }
}
