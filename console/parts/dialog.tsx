import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Refused } from '../api.js'
import { Failure } from './states.js'

export interface Question {
  title: string
  text: ComponentChildren
  /** What the button says. */
  yes: string
  danger?: boolean
  act: (form: FormData) => Promise<void>
}

/** Asks before something is done; what fails is told where it was asked. */
export function Ask ({ question, onClose }: { question: Question, onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [state, setState] = useState<{ busy: boolean, error: Refused | null }>({ busy: false, error: null })
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus() }
  }, [])
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    setState({ busy: true, error: null })
    question.act(new FormData(event.target as HTMLFormElement)).then(onClose, (error: Refused) => setState({ busy: false, error }))
  }
  return (
    <dialog ref={dialog} aria-labelledby='question' onClose={onClose}>
      <form method='dialog' onSubmit={submit}>
        <h2 id='question'>{question.title}</h2>
        <div>{question.text}</div>
        {state.error && <Failure error={state.error} />}
        <p class='buttons'>
          <button type='button' onClick={() => dialog.current?.close()}>No, go back</button>
          <button type='submit' class={question.danger ? 'danger' : 'primary'} disabled={state.busy}>{question.yes}</button>
        </p>
      </form>
    </dialog>
  )
}

/** `[dialog, ask]`: put the first somewhere on the page. */
export function useQuestion (): [ComponentChildren, (question: Question) => void] {
  const [question, setQuestion] = useState<Question | null>(null)
  return [question && <Ask question={question} onClose={() => setQuestion(null)} />, setQuestion]
}
