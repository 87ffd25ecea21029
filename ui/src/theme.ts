// Loaded as a blocking script so that the theme is chosen before first paint
// (UI-113) without an inline script, which the content security policy forbids.
(() => {
  let choice: string | null = null;
  try {
    choice = localStorage.getItem('paperclip.theme');
  } catch {
    // Storage may be forbidden; the system's preference then decides.
  }
  const dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.classList.toggle('dark', dark);
})();
