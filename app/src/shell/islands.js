const bell = document.getElementById("bell");
let live;
const listen = () => {
  live?.close();
  live = document.hidden ? undefined : new EventSource("/notices/stream");
  live?.addEventListener("unread", ({ data }) => {
    const count = Number(data) >= 100 ? "99+" : data;
    bell.ariaLabel = `Notices, ${data === "0" ? "none" : count} unread`;
    bell.lastElementChild.textContent = count;
    bell.lastElementChild.hidden = data === "0";
  });
};
if (bell) {
  document.addEventListener("visibilitychange", listen);
  addEventListener("pagehide", () => live?.close());
  listen();
}
const mod = await import(PKG + "/app.js");
await mod.default({ module_or_path: PKG + "/app_bg.wasm" });
mod.hydrate();
const around = [];
const wake = async (node) => {
  const tag = node.localName;
  if (tag === "leptos-island") {
    const start = mod[node.dataset.component];
    if (start) {
      around.at(-1)?.();
      await start(node);
    } else {
      console.error("No such island: " + node.dataset.component);
    }
  }
  if (tag === "leptos-children") around.push(node.$$on_hydrate);
  for (const child of node.children) await wake(child);
  if (tag === "leptos-children") around.pop();
};
await wake(document.body);
document.documentElement.dataset.islands = "alive";
