// The operator's page: state, queue, GPU, last results, and a form whose fields come from the host's
// own OpenAPI document. All text is set as text, never as HTML.
import { call } from "./calls.js";

const API = "/api/v1";
const REFRESH_MS = 2000;
const PICTURES_KEPT = 30; // each is held in the browser's memory until its address is revoked
const ENDS = new Set(["succeeded", "failed", "cancelled"]);
const byId = (id) => document.getElementById(id);
const json = async (path, options) => (await call(path, options)).json();
const sentence = (error) => (error instanceof TypeError ? "The host does not answer." : error.message);
const words = (name) => name.replace(/^./, (first) => first.toUpperCase()).replaceAll("_", " ");

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Text whose words in backticks are code, as the host's document writes them. */
function prose(text) {
  return text.split("`").map((part, place) => (place % 2 ? make("code", {}, part) : part));
}

// --- state, queue, last results -----------------------------------------------------------------

function describe(list, entries) {
  const known = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  list.replaceChildren(...known.flatMap(([title, value]) => [make("dt", {}, title), make("dd", {}, value)]));
}

function showStatus(status) {
  const badge = byId("badge");
  badge.textContent = status.status;
  badge.className = `badge ${status.status === "ok" ? "ok" : status.status === "failed" ? "failed" : "waits"}`;
  byId("reason").hidden = !status.reason;
  byId("reason").textContent = status.reason ?? "";
  const mode = status.engine_mode ? `, ${status.engine_mode}` : "";
  const missing = operations.filter((path) => status.able && !status.able.includes(path));
  describe(byId("state"), [
    ["Engine", `${status.engine} ${status.engine_version}${mode}`],
    ["Being loaded", status.loading.join(", ")],
    ["Memory", status.engine_loaded ? "" : "given back; the next operation takes it again"],
    ["Slots", `${status.gpu_slots}, ${status.busy} busy`],
    ["Waiting", `${status.queued}`],
    ["Done since start", `${status.operations}`],
    ["Not possible", missing.join(", ")],
    ["Models", status.models?.length ? `${status.models.length} are there` : ""],
  ]);
  showExecution(status.execution);
  for (const option of byId("operation").options) option.disabled = missing.includes(option.value);
}

function showExecution(execution) {
  const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const memory = execution?.memory;
  const entries = [
    ["Asked", execution?.asked?.join(", ")],
    ["Used", execution?.used?.join(", ") || "not known until the engine has started"],
    ["Device", execution?.device],
    ["Memory", memory ? `${gib(memory.used_bytes)} of ${gib(memory.total_bytes)}` : ""],
  ];
  describe(byId("gpu"), entries);
  if (memory?.total_bytes) {
    const properties = { min: 0, max: memory.total_bytes, value: memory.used_bytes, ariaLabel: "Memory in use" };
    byId("gpu").lastElementChild.append(make("meter", properties));
  }
}

function fillTable(id, rows) {
  byId(id).hidden = rows.length === 0;
  byId(`${id}-empty`).hidden = rows.length > 0;
  const titles = [...byId(id).tHead.rows[0].cells].map((cell) => cell.textContent);
  byId(id).tBodies[0].replaceChildren(...rows.map((cells) => make("tr", {}, ...cells.map((cell, place) => {
    const made = place === 0 ? make("th", { scope: "row" }) : make("td");
    made.dataset.title = titles[place];
    made.append(...[cell].flat().filter((part) => part !== null && part !== ""));
    return made;
  }))));
}

const pictures = new Map(); // blob addresses by `output_path`, of what this page has fetched
let shown = "";

function showActivity(activity) {
  if (JSON.stringify(activity) === shown) return; // leaves focus and pictures where they are
  shown = JSON.stringify(activity);
  fillTable("queue", activity.open.map((seen) => [
    seen.operation, seen.state, seen.phase, seen.place ? `${seen.place}` : "", seen.seconds.toFixed(1),
  ]));
  fillTable("ended", activity.ended.map((seen) => [
    seen.operation,
    [make("span", { className: seen.state }, seen.outcome), seen.message ? make("small", {}, ` ${seen.message}`) : null],
    new Date(seen.ended_at).toLocaleTimeString(),
    seen.seconds.toFixed(1),
    seen.engine_seconds.toFixed(1),
    thumbnail(seen),
  ]));
}

function thumbnail(seen) {
  const path = seen.output_path;
  if (!path?.startsWith("asset:")) return null;
  const alt = `Result of ${seen.operation}`;
  if (pictures.has(path)) return make("img", { src: pictures.get(path), alt });
  const button = make("button", { type: "button" }, "Show");
  button.ariaLabel = `Show the result of ${seen.operation}`;
  button.addEventListener("click", async () => {
    try {
      button.replaceWith(make("img", { src: await picture(path), alt }));
    } catch (error) {
      button.replaceWith(make("span", {}, sentence(error)));
    }
  });
  return button;
}

async function picture(path) {
  if (!pictures.has(path)) {
    const answer = await call(`${API}/assets/${path.slice("asset:".length)}`);
    const blob = await answer.blob();
    if (!pictures.has(path)) pictures.set(path, URL.createObjectURL(blob)); // fetched twice at once
    for (const old of [...pictures.keys()].slice(0, -PICTURES_KEPT)) {
      URL.revokeObjectURL(pictures.get(old));
      pictures.delete(old);
    }
  }
  return pictures.get(path);
}

async function refresh() {
  try {
    showStatus(await json(`${API}/status`, { taken: [503] }));
    showActivity(await json("/page/activity"));
    byId("problem").hidden = true;
  } catch (error) {
    byId("problem").textContent = sentence(error);
    byId("problem").hidden = false;
  }
}

async function keepUp() {
  if (!document.hidden) await refresh();
  setTimeout(keepUp, REFRESH_MS);
}

// --- the form -----------------------------------------------------------------------------------

let schemas = {}; // of the requests, by operation
let components = {};
let operations = [];
let fields = []; // of the operation that is chosen: name, schema, and how to read it

function resolved(schema) {
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? []).filter((part) => part.type !== "null")];
  const target = schema.$ref ? components[schema.$ref.split("/").pop()] : {};
  const nullable = (schema.anyOf ?? []).some((part) => part.type === "null");
  const merged = Object.assign({}, target, ...parts.map(resolved), schema);
  return { ...merged, nullable };
}

function readDocument(openapi) {
  components = openapi.components.schemas;
  for (const [path, methods] of Object.entries(openapi.paths)) {
    const schema = methods.post?.tags?.includes("operations") && methods.post.requestBody?.content["application/json"]?.schema;
    if (schema) schemas[path.slice(API.length + 1)] = resolved(schema);
  }
  operations = Object.keys(schemas);
  byId("operation").replaceChildren(...operations.map((path) => make("option", { value: path }, path)));
}

function buildForm() {
  const schema = schemas[byId("operation").value];
  const everywhere = (name) => operations.every((path) => name in schemas[path].properties);
  const files = new Map(fields.filter((field) => field.files).map((field) => [field.name, field.box]));
  byId("about").replaceChildren(...prose(schema.description ?? ""));
  fields = Object.entries(schema.properties)
    .map(([name, own]) => ({ name, schema: resolved(own), required: schema.required?.includes(name) ?? false }))
    .filter((field) => field.schema.const === undefined);
  for (const field of fields) buildField(field, files.get(field.name));
  const place = (id, wanted) => byId(id).replaceChildren(...fields.filter(wanted).map((field) => field.box));
  place("pictures", (field) => field.files && field.required);
  place("parameters", (field) => !everywhere(field.name) && !field.files);
  place("shared", (field) => everywhere(field.name) && !(field.files && field.required));
}

function buildField(field, kept) {
  const { name, schema, required } = field;
  const id = `field-${name}`;
  const isUpload = schema["x-picture"] && required; // its words are about names of pictures
  const hint = schema.description && !isUpload ? make("small", { id: `${id}-hint` }, ...prose(schema.description)) : null;
  if (schema.type === "array" && resolved(schema.items ?? {}).enum) {
    buildChoices(field, resolved(schema.items).enum, hint);
    return;
  }
  let input;
  if (schema["x-picture"]) {
    field.box = kept;
    field.files = () => byId(id).files;
    if (kept) return;
    input = make("input", { type: "file", accept: "image/*,.heic,.heif,.avif" });
  } else if (schema.enum) {
    const none = schema.nullable ? [make("option", { value: "" }, "—")] : [];
    input = make("select", {}, ...none, ...schema.enum.map((value) => make("option", { value }, `${value}`)));
    field.read = () => (input.value === "" ? null : schema.enum[input.selectedIndex - none.length]);
  } else if (schema.type === "integer" || schema.type === "number") {
    const limits = { min: schema.minimum ?? "", max: schema.maximum ?? "", step: schema.type === "integer" ? 1 : "any" };
    input = make("input", { type: "number", ...limits });
    field.read = () => (input.value === "" ? null : input.valueAsNumber);
  } else if (schema.type === "boolean") {
    input = make("input", { type: "checkbox", checked: schema.default ?? false });
    field.read = () => input.checked;
  } else {
    input = make("input", { type: "text" });
    const isList = schema.type === "array";
    field.read = () => (input.value === "" ? null : isList ? input.value.split(/[\s,]+/).map(Number) : input.value);
  }
  Object.assign(input, { id, required });
  if (schema.default !== undefined && schema.default !== null && schema.type !== "boolean") input.value = schema.default;
  if (hint) input.setAttribute("aria-describedby", hint.id);
  field.box = make("div", {}, make("label", { htmlFor: id }, words(name)), input, hint);
}

function buildChoices(field, values, hint) {
  const boxes = values.map((value) => make("input", { type: "checkbox", checked: (field.schema.default ?? []).includes(value) }));
  const labels = values.map((value, place) => make("label", {}, boxes[place], ` ${value}`));
  field.box = make("fieldset", {}, make("legend", {}, words(field.name)), ...labels, hint);
  field.read = () => values.filter((_, place) => boxes[place].checked);
}

async function requestBody() {
  const body = {};
  for (const field of fields) {
    if (field.files) {
      const file = field.files()[0];
      if (!file) continue;
      say(`Sending ${file.name} …`);
      body[field.name] = (await json(`${API}/assets`, { method: "POST", body: file })).path;
      continue;
    }
    const value = field.read();
    const isDefault = JSON.stringify(value) === JSON.stringify(field.schema.default ?? null);
    if (!isDefault || field.required) body[field.name] = value;
  }
  return body;
}

let running = null; // the id of the operation that this page follows

async function run() {
  const before = fields.filter((field) => field.files && field.required).at(-1)?.files()[0];
  const path = byId("operation").value;
  const body = JSON.stringify(await requestBody());
  const headers = { "Content-Type": "application/json", Prefer: "respond-async" };
  let status = await json(`${API}/${path}`, { method: "POST", body, headers });
  running = status.id;
  byId("cancel").disabled = false;
  while (!ENDS.has(status.state)) {
    const place = status.place ? `, place ${status.place}` : "";
    say(`${words(path)}: ${status.state}, ${status.phase}${place} …`);
    status = await json(`${API}/operations/${status.id}?wait=25&after=${status.revision}`);
  }
  await showEnd(path, status, before);
}

async function showEnd(path, status, before) {
  const end = status.error ? `${status.error.code}: ${status.error.message}` : `${status.phases.engine.toFixed(1)} s of the engine.`;
  say(`${words(path)} ${status.state}. ${end}`);
  const output = status.result?.output_path;
  URL.revokeObjectURL(byId("before").src);
  byId("before").src = before ? URL.createObjectURL(before) : "";
  byId("after-box").hidden = !output;
  if (output) byId("after").src = output.startsWith("asset:") ? await picture(output) : output;
  byId("notes").replaceChildren(...(status.result?.notes ?? []).map((note) => make("li", {}, note)));
  byId("answer").textContent = JSON.stringify(status.result ?? status.error, null, 2);
  byId("result").hidden = false;
}

function say(text) {
  byId("progress").textContent = text;
}

byId("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("start").disabled = true;
  byId("result").hidden = true;
  byId("cancel-problem").textContent = "";
  try {
    await run();
  } catch (error) {
    say(sentence(error));
  }
  running = null;
  byId("start").disabled = false;
  byId("cancel").disabled = true;
  await refresh();
});

byId("cancel").addEventListener("click", async () => {
  byId("cancel-problem").textContent = "";
  try {
    if (running) await call(`${API}/operations/${running}`, { method: "DELETE" });
  } catch (error) {
    byId("cancel-problem").textContent = sentence(error); // #progress changes with the next state
  }
});

const MOVES = ["load", "unload"];
for (const move of MOVES) {
  byId(move).addEventListener("click", async () => {
    for (const each of MOVES) byId(each).disabled = true;
    byId("moved").textContent = "Once the running operations have ended …";
    try {
      const answer = await call(`${API}/engine/${move}?wait=25`, { method: "POST" });
      byId("moved").textContent = answer.status === 202 ? "This goes on." : "Done.";
    } catch (error) {
      byId("moved").textContent = sentence(error);
    }
    for (const each of MOVES) byId(each).disabled = false;
    await refresh();
  });
}

byId("operation").addEventListener("change", buildForm);

try {
  readDocument(await json("/openapi.json"));
  buildForm();
} catch (error) {
  say(`The form cannot be made: ${error.message}`);
}
keepUp();
