// Validates Kubernetes objects, a JSON array on standard input, against the schemas of the npm package kubernetes-models in the
// folder named by the argument. Prints a line per fault.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

let text = '';
for await (const chunk of process.stdin) text += chunk;
for (const object of JSON.parse(text)) {
  const schema = join(process.argv[2], 'node_modules/kubernetes-models', object.apiVersion, `${object.kind}.js`);
  try {
    const models = await import(pathToFileURL(schema));
    new models[object.kind](object).validate();
  } catch (error) {
    console.log(`${object.kind} ${object.metadata?.name}: ${error.message}`);
  }
}
