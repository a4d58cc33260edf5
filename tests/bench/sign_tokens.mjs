// Makes a key of ES256 and tokens that it has signed, each for a subject of its own:
//   node sign_tokens.mjs COUNT FOLDER    # FOLDER/jwks and FOLDER/tokens, a token a line
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";

const [count, folder] = process.argv.slice(2);
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const head = base64url({ alg: "ES256", typ: "at+jwt", kid: "k" });
const now = Math.floor(Date.now() / 1000);

const tokens = Array.from({ length: Number(count) }, (_, i) => {
  const claims = { iss: "https://app.example", aud: "herald", sub: `user-${i}`, iat: now, exp: now + 3600, roles: ["staff"] };
  const text = `${head}.${base64url(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
});

writeFileSync(`${folder}/jwks`, JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k" }] }));
writeFileSync(`${folder}/tokens`, tokens.join("\n") + "\n");
writeFileSync(`${folder}/token`, tokens[0] + "\n");
