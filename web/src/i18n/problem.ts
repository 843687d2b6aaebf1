/* An error as a sentence: the server's own where it gave one, since it names the mend. */
import { ApiError } from '../api/client'
import { t, type Key } from '.'

const OWN: Record<number, Key> = { 0: 'problem0', 404: 'problem404', 413: 'problem413', 429: 'problem429', 502: 'problem503', 503: 'problem503', 504: 'problem503' }

export function sentence(error: unknown): string {
  if (!(error instanceof ApiError))
    return t('loadFailed')
  const key = OWN[error.status]
  return error.message || (key ? t(key) : t('problemOther', { status: error.status }))
}
