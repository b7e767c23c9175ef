import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { type Refused, resume, session } from './api.js'
import { Frame } from './frame.js'
import { LogIn } from './pages/log-in.js'
import { Failure } from './parts/states.js'
import './style.css'

function App () {
  const [error, setError] = useState<Refused | null>(null)
  const begin = (): void => {
    setError(null)
    resume().catch(setError)
  }
  useEffect(begin, [])
  if (error) return <main class='plain'><Failure error={error} onRetry={begin} /></main>
  if (session.value === undefined) return <p class='plain' role='status'>Loading the console</p>
  return session.value === null ? <LogIn /> : <Frame />
}

const app = document.getElementById('app')!
app.textContent = ''
render(<App />, app)
