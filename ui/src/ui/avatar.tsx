// Faces without pictures: initials on a tint that stays the agent's own, and a
// mirrored pixel pattern for companies. Both decoration beside a name.

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return h >>> 0;
}

export function initials(name: string): string {
  const words = name.trim().split(/[\s_-]+/).filter(Boolean);
  const letters = words.length > 1 ? words[0]!.charAt(0) + words[words.length - 1]!.charAt(0) : name.trim().slice(0, 2);
  return letters.toUpperCase();
}

export function Avatar({ id, name }: { id: string; name: string }) {
  return (
    <span class="avatar" style={{ '--hue': hash(id) % 360 }} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

export function CompanyBadge({ id }: { id: string }) {
  const bits = hash(id);
  const cells = [];
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 3; x++) {
      if (!((bits >>> (y * 3 + x)) & 1)) continue;
      cells.push(<rect key={`${x},${y}`} x={x} y={y} width="1" height="1" />);
      if (x < 2) cells.push(<rect key={`${4 - x},${y}`} x={4 - x} y={y} width="1" height="1" />);
    }
  }
  return (
    <svg class="company-badge" style={{ '--hue': bits % 360 }} viewBox="-1 -1 7 7" width="28" height="28" aria-hidden="true">
      {cells}
    </svg>
  );
}
