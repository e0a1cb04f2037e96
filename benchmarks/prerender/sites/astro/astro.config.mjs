export default { cacheDir: "./cache", markdown: { syntaxHighlight: false, smartypants: false } };
