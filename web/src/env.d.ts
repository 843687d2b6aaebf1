declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent
  export default component
}
/* The build of MapLibre whose worker is a file of its own: it works under a Content-Security-Policy without blob:. */
declare module 'maplibre-gl/dist/maplibre-gl-csp.js' {
  import * as maplibre from 'maplibre-gl'
  export default maplibre
}
