// Runs a widget's script, which it loads once for a page: browsers never free a module, so one for each widget would fill the page.

const scripts = (globalThis[Symbol.for("tcnb.scripts")] ??= new Map()); // text of a script → promise of its module

function loaded(text) {
  if (!scripts.has(text)) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const module = import(/* webpackIgnore: true */ url).finally(() => URL.revokeObjectURL(url));
    module.catch(() => scripts.delete(text));
    scripts.set(text, module);
  }
  return scripts.get(text);
}

export default function () {
  let widget = null;
  const made = async (model) => {
    const { default: definition } = await loaded(model.get("script"));
    return typeof definition === "function" ? definition() : definition;
  };
  const of = (model) => (widget ??= made(model));
  return {
    async initialize(context) {
      const { model } = context, end = await (await of(model)).initialize?.(context);
      return () => {
        if (end) end();
        for (const name of ["script", "opening"]) model.set(name, ""); // JupyterLab keeps the models of closed widgets
      };
    },
    async render(context) { return (await of(context.model)).render(context); },
  };
}
