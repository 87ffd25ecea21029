// The icons: 16 × 16 strokes in the text's colour. Always decoration; what an
// icon means stands beside it in words or in its control's name.
const PATHS = {
  close: 'M4 4l8 8M12 4l-8 8',
  chevron: 'M6 4l4 4-4 4',
  updown: 'M5 6l3-3 3 3M5 10l3 3 3-3',
  check: 'M3.500 8.500l3 3 6-7',
  sun: 'M8 5a3 3 0 100 6 3 3 0 000-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13.500 9.500A6 6 0 016.500 2.500a6 6 0 107 7z',
  screen: 'M2 3h12v8H2zM6 14h4M8 11v3',
  help: 'M6 6a2 2 0 113 1.700c-.7.400-1 .8-1 1.600M8 11.700v.1M8 1.500a6.500 6.500 0 100 13 6.500 6.500 0 000-13z',
  down: 'M8 3v10M4 9l4 4 4-4',
  wait: 'M8 4.500V8l2.500 1.500M8 1.800a6.200 6.200 0 100 12.400A6.200 6.200 0 008 1.800z',
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
