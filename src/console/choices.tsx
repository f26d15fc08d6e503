/** Buttons of which one is pressed. */
export function Choices({
  label,
  options,
  chosen,
  onChoose,
}: {
  label: string;
  options: readonly string[];
  chosen: string;
  onChoose: (option: string) => void;
}) {
  return (
    <fieldset class="choices">
      <legend class="hidden">{label}</legend>
      {options.map((option) => (
        <button key={option} type="button" aria-pressed={option === chosen} onClick={() => onChoose(option)}>
          {option}
        </button>
      ))}
    </fieldset>
  );
}
