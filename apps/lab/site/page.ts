import { showPage } from '../src/rooms/shared/site-page.tsx'

const root = document.getElementById('root')
if (root) showPage(root, document.body.dataset['room'])
