import type { ReactNode } from 'react'
import {
  Button as AriaButton,
  Checkbox,
  CheckboxGroup,
  FieldError,
  Group,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  NumberField as AriaNumberField,
  Popover,
  Radio,
  RadioGroup,
  Select as AriaSelect,
  SelectValue,
  Slider as AriaSlider,
  SliderOutput,
  SliderThumb,
  SliderTrack,
  Switch as AriaSwitch,
  TextField as AriaTextField,
} from 'react-aria-components'
import { formatNumber } from '../scenes/format-number.ts'

export interface ButtonProps {
  readonly children: ReactNode
  readonly onPress: () => void
  /** `strong` for the one thing a view is for. */
  readonly kind?: 'strong' | 'plain' | 'quiet'
  readonly isDisabled?: boolean
  /** Where the children are no words. */
  readonly label?: string
}

export function Button({ children, onPress, kind = 'plain', isDisabled, label }: ButtonProps): ReactNode {
  return (
    <AriaButton className={`button ${kind}`} onPress={onPress} isDisabled={isDisabled} aria-label={label}>
      {children}
    </AriaButton>
  )
}

export interface SliderProps {
  readonly label: string
  readonly value: number
  readonly min: number
  readonly max: number
  /** Of the value, or of its decimal logarithm where `scale` is `log`. Default: a hundredth of the range. */
  readonly step?: number
  readonly scale?: 'linear' | 'log'
  readonly format?: (value: number) => string
  readonly onChange: (value: number) => void
  readonly isDisabled?: boolean
}

/** A number by dragging or by arrow keys, its value beside the label. */
export function Slider({
  label,
  value,
  min,
  max,
  scale = 'linear',
  onChange,
  isDisabled,
  ...rest
}: SliderProps): ReactNode {
  const inner = scale === 'log' ? Math.log10 : (v: number): number => v
  const outer = scale === 'log' ? (v: number): number => 10 ** v : (v: number): number => v
  const format = rest.format ?? ((v: number): string => formatNumber(v, { digits: 3, trim: true }))
  const [low, high] = [inner(min), inner(max)]
  return (
    <AriaSlider
      className="field slider"
      value={Math.min(high, Math.max(low, inner(value)))}
      minValue={low}
      maxValue={high}
      step={rest.step ?? (high - low) / 100}
      onChange={(v) => onChange(outer(v))}
      isDisabled={isDisabled}
    >
      <Label>{label}</Label>
      <SliderOutput>{format(value)}</SliderOutput>
      <SliderTrack>
        {({ state }) => (
          <>
            <div className="slider-fill" style={{ width: `${state.getThumbPercent(0) * 100}%` }} />
            <SliderThumb aria-valuetext={format(value)} />
          </>
        )}
      </SliderTrack>
    </AriaSlider>
  )
}

export interface NumberFieldProps {
  readonly label: string
  readonly value: number
  readonly min?: number
  readonly max?: number
  readonly step?: number
  readonly onChange: (value: number) => void
  readonly isDisabled?: boolean
  /** How many decimal places may stand there, default 10. */
  readonly places?: number
}

/** A number by typing or stepping. Nothing is reported while what stands there is no number. */
export function NumberField({ label, min, max, onChange, places = 10, ...rest }: NumberFieldProps): ReactNode {
  return (
    <AriaNumberField
      className="field number-field"
      minValue={min}
      maxValue={max}
      formatOptions={{ maximumFractionDigits: places, useGrouping: false }}
      onChange={(v) => Number.isFinite(v) && onChange(v)}
      {...rest}
    >
      <Label>{label}</Label>
      <Group>
        <AriaButton slot="decrement">−</AriaButton>
        <Input />
        <AriaButton slot="increment">+</AriaButton>
      </Group>
      <FieldError />
    </AriaNumberField>
  )
}

export interface Choice<T extends string> {
  readonly id: T
  readonly text: string
}

export interface SelectProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly choices: readonly Choice<T>[]
  readonly onChange: (value: T) => void
  readonly isDisabled?: boolean
}

/** One of many. */
export function Select<T extends string>({ label, value, choices, onChange, isDisabled }: SelectProps<T>): ReactNode {
  return (
    <AriaSelect
      className="field select"
      value={value}
      onChange={(key) => key !== null && onChange(key as T)}
      isDisabled={isDisabled}
    >
      <Label>{label}</Label>
      <AriaButton>
        <SelectValue />
        <span aria-hidden="true" className="select-arrow">
          ▾
        </span>
      </AriaButton>
      <Popover className="popover">
        <ListBox>
          {choices.map(({ id, text }) => (
            <ListBoxItem key={id} id={id} textValue={text}>
              {text}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  )
}

/** One of few, all in view. */
export function Segments<T extends string>({ label, value, choices, onChange, isDisabled }: SelectProps<T>): ReactNode {
  return (
    <RadioGroup
      className="field segments"
      value={value}
      onChange={(v) => onChange(v as T)}
      orientation="horizontal"
      isDisabled={isDisabled}
    >
      <Label>{label}</Label>
      <div className="segments-row">
        {choices.map(({ id, text }) => (
          <Radio key={id} value={id}>
            {text}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  )
}

export interface ChecksProps<T extends string> {
  readonly label: string
  readonly value: readonly T[]
  /** With a color beside the text where they stand for something drawn. */
  readonly choices: readonly (Choice<T> & { readonly color?: string })[]
  readonly onChange: (value: readonly T[]) => void
}

/** Any of several. */
export function Checks<T extends string>({ label, value, choices, onChange }: ChecksProps<T>): ReactNode {
  return (
    <CheckboxGroup className="field checks" value={[...value]} onChange={(chosen) => onChange(chosen as T[])}>
      <Label>{label}</Label>
      {choices.map(({ id, text, color }) => (
        <Checkbox key={id} value={id}>
          <span className="check-box" aria-hidden="true" />
          {color && <span className="swatch" style={{ background: color }} aria-hidden="true" />}
          {text}
        </Checkbox>
      ))}
    </CheckboxGroup>
  )
}

export interface SwitchProps {
  readonly children: ReactNode
  readonly value: boolean
  readonly onChange: (value: boolean) => void
  readonly isDisabled?: boolean
}

export function Switch({ children, value, onChange, isDisabled }: SwitchProps): ReactNode {
  return (
    <AriaSwitch className="switch" isSelected={value} onChange={onChange} isDisabled={isDisabled}>
      <span className="switch-track" aria-hidden="true" />
      {children}
    </AriaSwitch>
  )
}

export interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly placeholder?: string
  readonly type?: 'text' | 'search'
}

export function TextField({ label, value, onChange, placeholder, type = 'text' }: TextFieldProps): ReactNode {
  return (
    <AriaTextField className="field text-field" value={value} onChange={onChange} type={type}>
      <Label>{label}</Label>
      <Input placeholder={placeholder} />
    </AriaTextField>
  )
}
