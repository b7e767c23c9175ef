import type { Job } from '../../clients/typescript/src/types.gen.js'
import { useLoaded } from '../load.js'
import { Progress } from '../parts/progress.js'
import { Code, Failure, Loading } from '../parts/states.js'
import { Time } from '../parts/time.js'
import { to } from '../route.js'

export function JobPage ({ id }: { id: string }) {
  const { data, error, loading, reload } = useLoaded<Job>(`jobs/${encodeURIComponent(id)}`, 1000)
  return (
    <>
      <p class='up'><a href={to('parked')}>Parking lot</a></p>
      <h1>Job <Code text={id} short={13} /></h1>
      {error && <Failure error={error} onRetry={reload} />}
      {loading && <Loading />}
      {data && (
        <section class='card'>
          <Progress job={data} onChange={reload} />
          <dl class='facts'>
            <dt>About</dt><dd><pre>{JSON.stringify(data.selection, null, 2)}</pre></dd>
            <dt>Begun</dt><dd><Time at={data.created_at} /></dd>
            <dt>Over</dt><dd>{data.settled_at === null ? 'not yet' : <Time at={data.settled_at} />}</dd>
            {data.failures.length > 0 && <><dt>Left as they were</dt><dd><ul>{data.failures.map(({ parked_id: parked, code }) => <li key={parked}><a href={to(`parked/${parked}`)}><Code text={parked} short={12} /></a> {code}</li>)}</ul></dd></>}
          </dl>
          <p><a href={to('actions', { target_id: id })}>Who asked for it, and who stopped it</a></p>
        </section>
      )}
    </>
  )
}
