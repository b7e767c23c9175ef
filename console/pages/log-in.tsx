import { useState } from 'preact/hooks'
import { logIn, type Refused } from '../api.js'
import { Failure } from '../parts/states.js'

export function LogIn () {
  const [state, setState] = useState<{ busy: boolean, error: Refused | null }>({ busy: false, error: null })
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const form = new FormData(event.target as HTMLFormElement)
    setState({ busy: true, error: null })
    logIn(String(form.get('nick_name')), String(form.get('password'))).catch((error: Refused) => setState({ busy: false, error }))
  }
  return (
    <main class='plain'>
      <form class='card' onSubmit={submit}>
        <h1>Comanda console</h1>
        <p class='quiet'>For operators.</p>
        <label>Name<input name='nick_name' autocomplete='username' autocapitalize='none' required maxLength={50} autofocus /></label>
        <label>Password<input name='password' type='password' autocomplete='current-password' required maxLength={128} /></label>
        {state.error && <Failure error={state.error} />}
        <button class='primary' type='submit' disabled={state.busy}>Log in</button>
      </form>
    </main>
  )
}
