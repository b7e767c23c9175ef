/** `warn`: it works, but not for ever or not for every client; `wrong`: something does not work, or an order may be lost. */
export type Mark = 'ok' | 'warn' | 'wrong'
export type Subject = 'configuration' | 'postgres' | 'redis' | 'rabbitmq'

/** One thing that was looked at. No field ever holds a secret. */
export interface Finding {
  mark: Mark
  subject: Subject
  /** what was looked at */
  check: string
  found: string
  /** what to do; null where all is well */
  advice: string | null
}

/** Takes the findings about one subject. */
export class Notes {
  readonly subject: Subject
  readonly findings: Finding[] = []

  constructor (subject: Subject) {
    this.subject = subject
  }

  ok (check: string, found: string): void {
    this.add('ok', check, found, null)
  }

  warn (check: string, found: string, advice: string): void {
    this.add('warn', check, found, advice)
  }

  wrong (check: string, found: string, advice: string): void {
    this.add('wrong', check, found, advice)
  }

  /** What ended the conversation with a service, at its first word or after it. */
  trouble ({ found, advice }: { found: string, advice: string }): void {
    this.wrong(this.findings.length === 0 ? 'connection' : 'answers', found, advice)
  }

  add (mark: Mark, check: string, found: string, advice: string | null): void {
    this.findings.push({ mark, subject: this.subject, check, found, advice: mark === 'ok' ? null : advice })
  }
}

/** The worst of them. */
export function verdictOf (findings: readonly Finding[]): Mark {
  const marks = new Set(findings.map(({ mark }) => mark))
  if (marks.has('wrong')) return 'wrong'
  return marks.has('warn') ? 'warn' : 'ok'
}
