import type { LanguageTable } from './language-table.ts'

const en = {
  tagline: 'a loss-landscape laboratory',
  skip: 'Skip to the content',
  rooms: 'Rooms',
  language: 'Language',
  otherLanguage: '中文',
  otherLanguageLabel: '切换到中文',
  theme: 'Light or dark',
  toDark: 'Dark',
  toLight: 'Light',
  loading: 'Fetching the room',
  failed: 'This room could not be shown',
  again: 'Try again',
  noRoom: 'There is no such room',
  home: 'To the landscape',
  footer: 'Everything is computed on this machine; nothing leaves it.',
  theoryTitle: 'Theory',
  theoryLead:
    'Each room is one result from the literature that can be tried: change the numbers, and the theorem and the measurement move side by side. Everything is computed in this page.',
  theoryEmpty: 'The theory rooms are not part of this build.',
  computing: 'computing',
}

const zh: typeof en = {
  tagline: '损失景观实验室',
  skip: '跳到正文',
  rooms: '房间',
  language: '语言',
  otherLanguage: 'English',
  otherLanguageLabel: 'Switch to English',
  theme: '浅色或深色',
  toDark: '深色',
  toLight: '浅色',
  loading: '正在打开房间',
  failed: '这个房间无法显示',
  again: '重试',
  noRoom: '没有这个房间',
  home: '去看景观',
  footer: '一切都在本机计算，不向外发送任何内容。',
  theoryTitle: '理论',
  theoryLead: '每个房间是文献中的一个结果，可以亲手试：改动数字，定理与测量值并排变化。一切都在本页中计算。',
  theoryEmpty: '这个版本不含理论房间。',
  computing: '计算中',
}

export const shellWords: LanguageTable<typeof en> = { en, zh }
