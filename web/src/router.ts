import { createRouter, createWebHistory } from 'vue-router'
import type { Key } from './i18n'
import ReportPage from './pages/ReportPage.vue'

declare module 'vue-router' {
  interface RouteMeta { title: Key }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', component: ReportPage, meta: { title: 'reportTitle' } },
    { path: '/track', component: () => import('./pages/TrackPage.vue'), meta: { title: 'trackTitle' } },
    { path: '/track/:code', component: () => import('./pages/TrackPage.vue'), props: true, meta: { title: 'trackTitle' } },
    { path: '/callback/:link', component: () => import('./pages/WordPage.vue'), props: true, meta: { title: 'wordTitle' } },
    { path: '/dispatch', component: () => import('./pages/DispatchPage.vue'), meta: { title: 'dispatchTitle' } },
    { path: '/:rest(.*)', component: () => import('./pages/NotFound.vue'), meta: { title: 'notFoundTitle' } },
  ],
  scrollBehavior: () => ({ top: 0 }),
})
