import { createPinia } from 'pinia'
import { createApp } from 'vue'
import 'element-plus/theme-chalk/base.css'
import './styles.css'
import App from './App.vue'
import { startLanguage } from './i18n'
import { router } from './router'

startLanguage()
createApp(App).use(createPinia()).use(router).mount('#app')
