// Shows the host's own document, and gives the requests that are tried there a pass.
import { authorization } from "./calls.js";

const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark-mode", isDark);

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  requestInterceptor: async (request) => {
    const isCall = new URL(request.url, location.href).pathname.startsWith("/api/");
    if (isCall && !request.headers.Authorization) {
      Object.assign(request.headers, await authorization());
    }
    return request;
  },
});
