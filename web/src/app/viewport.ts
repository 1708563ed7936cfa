// The height that is really there. A soft keyboard covers the page on iOS without resizing it; the
// visual viewport tells, and the page keeps its composer above the keyboard.

export function followViewport(): void {
  const viewport = window.visualViewport;
  if (!viewport) return;
  const follow = () => {
    // Pinch zoom also shrinks the visual viewport; the page then stays as it is.
    if (viewport.scale > 1.01) return;
    const covered = innerHeight - viewport.height > 60;
    const root = document.documentElement;
    if (covered) root.style.setProperty("--page-height", `${viewport.height}px`);
    else root.style.removeProperty("--page-height");
    root.classList.toggle("keyboard", covered);
    // iOS scrolls the page to show the field; the page has shrunk, so that is not needed.
    if (covered && viewport.offsetTop > 0) scrollTo(0, 0);
  };
  viewport.addEventListener("resize", follow);
  viewport.addEventListener("scroll", follow);
}
