/** A word that means well, ill, or neither. */
export function Status ({ word }: { word: string }) {
  return <span class={`status ${kindOf(word)}`}>{word.replaceAll('_', ' ')}</span>
}

const KINDS: Record<string, string> = {
  ...of('good', 'applied', 'confirmed', 'paid', 'shipped', 'delivered', 'done', 'enabled', 'up', 'replayed'),
  ...of('bad', 'rejected', 'wrong', 'given_up', 'down', 'failing', 'failed', 'forged'),
  ...of('warn', 'warn', 'waiting', 'due', 'disabled', 'starting', 'running', 'open'),
  ...of('off', 'cancelled', 'discarded', 'accepted', 'off')
}

function of (kind: string, ...words: string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word, kind]))
}

function kindOf (word: string): string {
  return KINDS[word] ?? 'off'
}
