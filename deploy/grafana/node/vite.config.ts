import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// One script that a page on the disk can load: chromium takes no modules from there.
export default defineConfig({
  plugins: [react()],
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
  build: {
    outDir: 'built',
    target: 'esnext',
    cssCodeSplit: false,
    chunkSizeWarningLimit: 20_000,
    rollupOptions: {
      input: 'src/main.tsx',
      output: { format: 'iife', inlineDynamicImports: true, entryFileNames: 'picture.js', assetFileNames: 'picture.[ext]' },
      onwarn: () => {},
    },
  },
});
