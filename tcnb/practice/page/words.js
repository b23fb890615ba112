// What the chat page says, in English and Russian; nothing is drawn here.

const ENGLISH = {
  pageTitle: "Practice server", youAre: "You are", chats: "Chats", newChat: "New chat with", choose: "Choose a person…", back: "Back to the chats",
  messages: "Messages", earlier: "Show earlier messages", noChat: "No chat is open", chooseChat: "Choose one on the left, or start one.",
  cancel: "Cancel", stickers: "Stickers", chooseFile: "File to send", ownSticker: "Picture to send as a sticker", attach: "Send a picture or a file",
  sticker: "Send a sticker", write: "Write a message", send: "Send", mayNotWrite: "Only its owner, admins and writers can write here.",
  drop: "Drop files to send them", you: "You", bot: "bot", reply: "Reply", edit: "Edit", remove: "Delete", edited: "edited", editing: "Editing",
  replyTo: (name) => `Reply to ${name}`, forwarded: (name) => `Forwarded from ${name}`, favorites: "Favorites", today: "Today", yesterday: "Yesterday",
  lost: "Connection lost, trying again…", sending: (name) => `Sending ${name}…`, refused: (why) => `The server refused: ${why}`, unreachable: "The server does not answer.",
  tooLarge: "The page sends files of up to 100 MB.", copied: "Copied", notRead: "Sent, not read yet", readBy: (names) => `Read by ${names}`, unread: (count) => `${count} new`,
  photo: "Photo", stickerKind: "Sticker", file: "File", withheld: "not shown: damaged, or too many pixels", voice: "Voice message", location: "Location", survey: "Survey", gone: "Message", newest: "To the newest messages",
  members: (count) => `${count} ${count === 1 ? "member" : "members"}`, channel: "channel", ownStickerButton: "Own picture…", stickerNumber: (number) => `Sticker ${number}`,
  joined: (who) => `${who} joined`, left: (who) => `${who} left`, renamed: (who, title) => `The chat is now called “${title}”`, pictured: () => "The chat has a new picture",
  cleared: () => "The history was cleared", role: (who, title, role) => `${who} is now ${role}`, unknown: () => "Something happened", size: ["B", "KB", "MB", "GB"],
};

const RUSSIAN = {
  pageTitle: "Учебный сервер", youAre: "Вы", chats: "Чаты", newChat: "Новый чат", choose: "Выберите собеседника…", back: "К списку чатов",
  messages: "Сообщения", earlier: "Показать более ранние", noChat: "Чат не выбран", chooseChat: "Выберите чат слева или начните новый.",
  cancel: "Отменить", stickers: "Стикеры", chooseFile: "Файл для отправки", ownSticker: "Картинка для стикера", attach: "Отправить картинку или файл",
  sticker: "Отправить стикер", write: "Напишите сообщение", send: "Отправить", mayNotWrite: "Здесь пишут только владелец, администраторы и авторы.",
  drop: "Отпустите файлы, чтобы отправить", you: "Вы", bot: "бот", reply: "Ответить", edit: "Изменить", remove: "Удалить", edited: "изменено", editing: "Изменение",
  replyTo: (name) => `Ответ: ${name}`, forwarded: (name) => `Переслано, автор — ${name}`, favorites: "Избранное", today: "Сегодня", yesterday: "Вчера",
  lost: "Связь потеряна, подключаемся…", sending: (name) => `Отправляется ${name}…`, refused: (why) => `Сервер отказал: ${why}`, unreachable: "Сервер не отвечает.",
  tooLarge: "Со страницы можно отправить не больше 100 МБ.", copied: "Скопировано", notRead: "Отправлено, ещё не прочитано", readBy: (names) => `Прочитано: ${names}`, unread: (count) => `новых: ${count}`,
  photo: "Фото", stickerKind: "Стикер", file: "Файл", withheld: "не показано: повреждено или слишком много пикселей", voice: "Голосовое сообщение", location: "Место", survey: "Опрос", gone: "Сообщение", newest: "К последним сообщениям",
  members: (count) => `участников: ${count}`, channel: "канал", ownStickerButton: "Своя картинка…", stickerNumber: (number) => `Стикер ${number}`,
  joined: (who) => `${who}: теперь в чате`, left: (who) => `${who}: больше не в чате`, renamed: (who, title) => `Чат теперь называется «${title}»`, pictured: () => "У чата новая картинка",
  cleared: () => "История очищена", role: (who, title, role) => `${who}: новая роль — ${role}`, unknown: () => "Что-то произошло", size: ["Б", "КБ", "МБ", "ГБ"],
};

export const language = (navigator.language || "en").toLowerCase().startsWith("ru") ? "ru" : "en";
export const words = language === "ru" ? RUSSIAN : ENGLISH;

/** Put the words into the page's fixed parts. */
export function label(root) {
  document.documentElement.lang = language;
  document.title = words.pageTitle;
  for (const part of root.querySelectorAll("[data-word]")) part.textContent = words[part.dataset.word];
  for (const part of root.querySelectorAll("[data-label]")) {
    const word = words[part.dataset.label];
    part.setAttribute("aria-label", word);
    if (part.matches("button")) part.title = word;
    if (part.matches("textarea")) part.placeholder = word;
  }
}

export function timeOf(moment) {
  return new Date(moment).toLocaleTimeString(language === "ru" ? "ru" : navigator.language, { hour: "2-digit", minute: "2-digit" });
}

export function dayOf(moment) {
  const day = new Date(moment);
  const ago = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(moment).setHours(0, 0, 0, 0)) / 86_400_000);
  if (ago === 0) return words.today;
  if (ago === 1) return words.yesterday;
  return day.toLocaleDateString(language === "ru" ? "ru" : navigator.language, { weekday: "long", day: "numeric", month: "long" });
}

export function sizeOf(bytes) {
  let step = 0;
  for (; bytes >= 1024 && step < words.size.length - 1; step++) bytes /= 1024;
  return `${bytes < 10 && step ? bytes.toFixed(1) : Math.round(bytes)} ${words.size[step]}`;
}
