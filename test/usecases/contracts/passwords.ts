import type { Test } from 'tap'
import type { PasswordsPort } from '../../../src/usecases/ports.js'

export interface OpenedPasswords {
  passwords: PasswordsPort
  /** What this work took, in whatever it is measured by. */
  cost (work: () => Promise<unknown>): Promise<number>
}

const PASSWORD = 'correct horse battery ☕'

export function passwordsContract (t: Test, open: (t: Test) => Promise<OpenedPasswords>): void {
  t.test('a password is checked against its hash', async (t) => {
    const { passwords } = await open(t)
    const hashed = await passwords.hash(PASSWORD)
    t.equal(await passwords.check(hashed, PASSWORD), true)
    for (const wrong of ['', PASSWORD.slice(1), `${PASSWORD} `, hashed]) t.equal(await passwords.check(hashed, wrong), false, wrong)
  })

  t.test('a hash shows nothing of the password, not even that two are the same', async (t) => {
    const { passwords } = await open(t)
    const hashes = [await passwords.hash(PASSWORD), await passwords.hash(PASSWORD)]
    t.not(hashes[0], hashes[1])
    for (const hashed of hashes) t.ok(!hashed.includes(PASSWORD) && hashed.length <= 256, hashed)
  })

  t.test('a common password is known as one, in capitals too, in wide letters, between blanks and with what nobody sees', async (t) => {
    const { passwords } = await open(t)
    for (const common of ['baseball', 'Password1', 'PASSWORD1', 'ｐａｓｓｗｏｒｄ', ' password', 'password\u3000', 'passw\u200bord', 'pass\u00adword\ufe0f', '\ufeffpassword', 'pass\u034fword']) t.equal(await passwords.isCommon(common), true, common)
    for (const rare of [PASSWORD, 'baseball of the sea', '']) t.equal(await passwords.isCommon(rare), false, rare)
  })

  t.test('what was hashed at the cost of today need not be hashed again', async (t) => {
    const { passwords } = await open(t)
    t.equal(passwords.needsRehash(await passwords.hash(PASSWORD)), false)
  })

  t.test('an unknown user\'s password is wrong, and that is not told sooner', async (t) => {
    const { passwords, cost } = await open(t)
    const hashed = await passwords.hash(PASSWORD)
    for (const one of [PASSWORD, '', 'nobody has this password']) t.equal(await passwords.check(null, one), false, one)
    const [known, unknown] = [await cost(async () => await passwords.check(hashed, 'wrong')), await cost(async () => await passwords.check(null, 'wrong'))]
    t.ok(unknown > known / 50, `${unknown} and ${known}`) // without the work it is a thousandth; on a busy machine the same work may take ten times as long
  })
}
