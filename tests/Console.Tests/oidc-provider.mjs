// An identity provider written by others: node oidc-provider.mjs FOLDER PORT, with the package oidc-provider in FOLDER.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const [folder, port] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(createRequire(join(folder, 'x.js')).resolve('oidc-provider')).href);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'console', client_secret: 'kept between the two', response_types: ['code'],
    grant_types: ['authorization_code'], redirect_uris: JSON.parse(process.env.REDIRECTS),
  }],
  claims: { profile: ['roles', 'channels'] },
  // The claims come from the userinfo endpoint, as OpenID Connect prescribes for the code flow.
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, roles: ['team'], channels: '*' }) }),
  pkce: { required: () => true },
  cookies: { keys: ['only for tests'] },
});
provider.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${issuer}`));
