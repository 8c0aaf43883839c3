// Makes the Postman collection and environment of an OpenAPI document: node make.mjs OPENAPI.json FOLDER
//
// The same document always gives the same files: the converter's random ids are left out, and what it makes up where a
// schema has no example comes from the same numbers and the same day each time.
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

let state = 1;
// The generator of Park and Miller; before the converter is loaded, which may keep Math.random.
Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;
const DAY = Date.UTC(2026, 0, 1);
globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length ? given : [DAY]));
  }
  static now() {
    return DAY;
  }
};
const { default: converter } = await import("openapi-to-postmanv2");

const BEARER = { type: "bearer", bearer: [{ key: "token", value: "{{accessToken}}", type: "string" }] };
const TEST = `pm.test("is answered without a fault", () => {
    pm.expect(pm.response.code).to.be.below(500);
    pm.expect(pm.response.headers.has("X-Request-ID")).to.equal(true);
});`;

const [source, folder] = process.argv.slice(2);
const converted = await promisify(converter.convertV2)(
  { type: "string", data: readFileSync(source, "utf8") },
  // Answers with their examples are in the document, and would be most of the collection.
  { folderStrategy: "Tags", parametersResolution: "Example", enableOptionalParameters: false },
);
if (!converted.result) throw new Error(converted.reason);
const collection = converted.output[0].data;

const clean = (item) => {
  delete item.id;
  delete item.event;
  delete item.response;
  delete item.protocolProfileBehavior;
  // One token for all: the collection's.
  if (item.request?.auth) delete item.request.auth;
  item.item?.forEach(clean);
};
collection.item.forEach(clean);
delete collection.info._postman_id;
collection.auth = BEARER;
collection.event = [{ listen: "test", script: { type: "text/javascript", exec: TEST.split("\n") } }];
delete collection.variable;

const environment = {
  name: "Sluice",
  values: [
    { key: "baseUrl", value: "http://127.0.0.1:8000", type: "default", enabled: true },
    { key: "accessToken", value: "", type: "secret", enabled: true },
  ],
  _postman_variable_scope: "environment",
};
const write = (name, value) => writeFileSync(`${folder}/${name}`, `${JSON.stringify(value, null, 2)}\n`);
write("sluice.postman_collection.json", collection);
write("sluice.postman_environment.json", environment);
