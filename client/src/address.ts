/** The address of the script tag that loaded the client, as that of the module would be. The build for script tags puts it in place of `import.meta.url`. */
export const scriptAddress = (globalThis.document?.currentScript as HTMLScriptElement | null | undefined)?.src.replace(/\/global\.js\b/, '/client.js') ?? '';
