/** What the lab in the browser and `thalweg lab` say to each other: types only, no host, no code.
 *
 * Every path begins with `/api`. Bodies are JSON unless said otherwise; a number that is not finite is `null` in JSON.
 * Times are ISO 8601 in UTC, durations are milliseconds. A run's id is its folder below the root, `/` between folders:
 * put it into a path by `encodeURIComponent`. An error has a status of 4xx or 5xx and the body {@link ErrorBody}.
 *
 *     GET    /api/health                           Health
 *     GET    /api/events?run=ID…                   SSE of LabEvent: what changes in the list, and the events of the runs named
 *     GET    /api/runs?…RunQuery                   RunList
 *     GET    /api/runs/ID                          RunDetail
 *     GET    /api/runs/ID/events                   SSE of RunEvent: progress, loss curve, log of one run
 *     GET    /api/runs/ID/live                     LiveRun: the same so far, for those who poll
 *     GET    /api/runs/ID/results/NAME             results/NAME.json as it lies there
 *     GET    /api/runs/ID/arrays                   ArrayReference[]: every array of results/*.npz
 *     GET    /api/runs/ID/arrays/FILE/ARRAY        float64, see ArrayReference
 *     GET    /api/runs/ID/figures/NAME             image/svg+xml or image/png
 *     GET    /api/runs/ID/checkpoints/NAME         safetensors
 *     GET    /api/runs/ID/report                   text/html, sandboxed: show it in <iframe sandbox="allow-scripts">
 *     GET    /api/runs/ID/surface                  Surface
 *     GET    /api/runs/ID/line                     Line
 *     GET    /api/runs/ID/plane-graph              .onnx, see PlaneGraph
 *     POST   /api/runs/ID/stop      StopRequest    RunSummary
 *     POST   /api/runs/ID/resume                   RunSummary
 *     GET    /api/compare?run=ID&run=ID…           Comparison
 *     POST   /api/work              WorkRequest    RunSummary (202)
 *     POST   /api/experiments/check ExperimentText ExperimentCheck
 *     GET    /api/experiments/schema               JSON Schema of an experiment
 *     POST   /api/uploads                          Upload (201): an empty folder
 *     GET    /api/uploads/UPLOAD                   Upload
 *     PUT    /api/uploads/UPLOAD/NAME  bytes       UploadedFile (201): the body is the file, nothing around it
 *     DELETE /api/uploads/UPLOAD                   204
 *     POST   /api/uploads/UPLOAD/inspect           Inspection: reads the model and the data in a process of their own
 *
 * Event streams. A browser opens at most six connections to one host for all its tabs together, and a stream holds one as
 * long as it is open: pages share a single `/api/events` (a SharedWorker, or one tab that tells the others), else the
 * seventh tab waits for ever.
 *
 * Access. On 127.0.0.1 nothing is asked for. Under any other address the page is opened once as `/?token=TOKEN`, which
 * sets a cookie and goes on to `/`; programs send `Authorization: Bearer TOKEN`. Requests that change something carry
 * the lab's own `Origin`, as a browser sends it for a page of the lab. */

export type { ErrorBody, ErrorCode, Health, Limits, ProtocolVersion } from './protocol/health.ts'
export type { Progress } from './protocol/progress.ts'
export type {
  ConnectDocument,
  CriticalDocument,
  DiagnosisDocument,
  Eigenvalue,
  EndPoint,
  Evidence,
  HistoryPoint,
  Inertia,
  SpectrumDocument,
  TrainingRecord,
  VerdictKind,
} from './protocol/documents.ts'
export type {
  ArrayReference,
  CheckpointReference,
  Command,
  Comparison,
  FigureReference,
  ResultReference,
  RunDetail,
  RunList,
  RunOrder,
  RunQuery,
  RunState,
  RunSummary,
} from './protocol/runs.ts'
export type {
  Line,
  PlaneGraph,
  Surface,
  SurfaceAxis,
  SurfaceField,
  SurfaceFieldKind,
  SurfaceMarker,
  SurfacePoint,
} from './protocol/surfaces.ts'
export type { CurvePoint, LabEvent, LiveRun, LogLine, RunEvent } from './protocol/events.ts'
export type {
  AxisRequest,
  ConnectRequest,
  CriticalRequest,
  DataReference,
  DiagnoseRequest,
  ExperimentCheck,
  ExperimentText,
  LineRequest,
  LossChoice,
  ModelReference,
  PlaneGraphRequest,
  RunRequest,
  SpectrumRequest,
  StopRequest,
  SubjectRequest,
  SurfaceRequest,
  WorkRequest,
} from './protocol/work.ts'
export type { Inspection, Upload, UploadEnding, UploadedFile } from './protocol/uploads.ts'
