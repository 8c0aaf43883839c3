// Reads a JSON array of objects; each has to be what its operator takes. The first that is not ends it with status 1.
import * as keda from "@kubernetes-models/keda/keda.sh/v1alpha1";
import * as prometheus from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import {text} from "node:stream/consumers";

const operators = {"keda.sh/v1alpha1": keda, "monitoring.coreos.com/v1": prometheus};
const objects = JSON.parse(await text(process.stdin));
for (const object of objects) {
  new operators[object.apiVersion][object.kind](object).validate();
}
console.log(objects.length);
