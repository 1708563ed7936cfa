// Unread messages where the page is out of sight: in the tab's title, on its icon, on an installed
// app's badge.
import logo from "../logo.svg";

const DOT = '<circle cx="50" cy="14" r="13" fill="#fff"/><circle cx="50" cy="14" r="10.5" fill="#1f7d5a"/></svg>';
const svg = (text: string) => `data:image/svg+xml,${encodeURIComponent(text)}`;

type Badging = { setAppBadge?(count: number): Promise<void>; clearAppBadge?(): Promise<void> };

export function showUnread(count: number, title: string): void {
  const name = title ? `${title} · Wigeon` : "Wigeon";
  document.title = count > 0 ? `(${count > 99 ? "99+" : count}) ${name}` : name;
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  const href = count > 0 ? svg(logo.replace("</svg>", DOT)) : "assets/logo.svg";
  if (icon && icon.getAttribute("href") !== href) icon.setAttribute("href", href);
  const badging = navigator as Badging;
  void (count > 0 ? badging.setAppBadge?.(count) : badging.clearAppBadge?.())?.catch(() => {});
}
