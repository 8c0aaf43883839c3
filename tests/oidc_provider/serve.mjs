// A certified OpenID provider with one client: node serve.mjs PORT ALGORITHM METHOD REDIRECT_URI …
// ALGORITHM signs ID tokens, METHOD is how the client shows its secret. Its pages let anybody in under any name.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const [port, algorithm, method, ...redirectUris] = process.argv.slice(2);
const pair = algorithm.startsWith("ES")
  ? generateKeyPairSync("ec", { namedCurve: "P-256" })
  : generateKeyPairSync("rsa", { modulusLength: 2048 });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "sluice-test",
      client_secret: "secret+of: the test's 100% client",
      redirect_uris: redirectUris,
      id_token_signed_response_alg: algorithm,
      token_endpoint_auth_method: method,
    },
  ],
  clientAuthMethods: [method],
  enabledJWA: { idTokenSigningAlgValues: [algorithm] },
  jwks: { keys: [{ ...pair.privateKey.export({ format: "jwk" }), use: "sig", alg: algorithm }] },
  cookies: { keys: ["only for the tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  findAccount: (_, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, email: `${accountId}@example.com`, email_verified: true, name: "Ada Lovelace" }),
  }),
  // The tests begin log-ins with PKCE alone.
  pkce: { required: () => true },
});

provider.listen(Number(port), "127.0.0.1");
