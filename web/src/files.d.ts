// What esbuild makes of files that are not code: an imported .svg is its text, a .css goes into the page's style.
declare module "*.svg" {
  const text: string;
  export default text;
}
declare module "*.css";
