/* Instants as people of the district read them: always in the district's time, with the weekday. */
import type { Language } from '../i18n'

const ZONE = 'Asia/Shanghai'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Parts = Partial<Record<Intl.DateTimeFormatPartTypes, string>>

function partsOf(at: number, language: Language): Parts {
  const format = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone: ZONE, year: 'numeric', month: language === 'zh' ? 'numeric' : 'long', day: 'numeric', weekday: 'long',
    hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
  })
  return Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]))
}

/** "2026年11月25日 星期三 15:00", "Wednesday, 25 November 2026, 15:00"; the text itself when it is no instant. */
export function instant(text: string, language: Language): string {
  const at = Date.parse(text)
  if (Number.isNaN(at))
    return text
  const p = partsOf(at, language)
  return language === 'zh'
    ? `${p.year}年${p.month}月${p.day}日 ${p.weekday} ${p.hour}:${p.minute}`
    : `${p.weekday}, ${p.day} ${p.month} ${p.year}, ${p.hour}:${p.minute}`
}

/** How far away an instant is, in its largest whole unit: "in 2 days", "3 小时前". */
export function distance(text: string, now: number, language: Language): string {
  const gap = Date.parse(text) - now
  const format = new Intl.RelativeTimeFormat(language === 'zh' ? 'zh-CN' : 'en', { numeric: 'always' })
  const size = Math.abs(gap)
  if (size >= DAY)
    return format.format(Math.trunc(gap / DAY), 'day')
  if (size >= HOUR)
    return format.format(Math.trunc(gap / HOUR), 'hour')
  return format.format(Math.trunc(gap / MINUTE), 'minute')
}
