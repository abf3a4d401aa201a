using Orderwright.Contracts;
using Orderwright.Runtime.Transport;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>State of the whole process: counts, rates, ages and participants.</summary>
/// <param name="At">Time of the reading; at most one reading per second.</param>
/// <param name="Definition">The process of new orders.</param>
/// <param name="Open">Number of open sagas.</param>
/// <param name="OpenIsAtLeast">The count was capped; there are more.</param>
/// <param name="Overdue">Number of open sagas with a timer late by more than five seconds.</param>
/// <param name="States">Open sagas by state.</param>
/// <param name="Steps">Open and recent sagas by step.</param>
/// <param name="Incidents">Incidents by step and code.</param>
/// <param name="Participants">Services that receive commands or notifications.</param>
/// <param name="Recent">The newest orders.</param>
/// <param name="Trouble">Why the message broker is unavailable, in one sentence; null while available.</param>
public sealed record OverviewResponse(
    DateTimeOffset At, DefinitionId Definition, long Open, bool OpenIsAtLeast, long Overdue,
    IReadOnlyList<StateCount> States, IReadOnlyList<StepCount> Steps, IReadOnlyList<IncidentCount> Incidents,
    IReadOnlyList<ParticipantState> Participants, RecentOrders Recent, string? Trouble);

public sealed record StateCount([OneOf(typeof(SagaStates))] string State, long Count, DateTimeOffset OldestAt);

/// <summary>Sagas at a step.</summary>
/// <param name="Step">Name of the step.</param>
/// <param name="Participant">Service in charge of the step.</param>
/// <param name="Open">Open sagas at this step.</param>
/// <param name="OldestAt">Start of the oldest; null for none.</param>
/// <param name="Incidents">Incidents among the open sagas.</param>
/// <param name="RolledBack">Number of the newest orders that were rolled back from this step.</param>
/// <param name="RolledBackShare">The same as a share of the newest orders, 0 to 1.</param>
public sealed record StepCount(
    string Step, string Participant, long Open, DateTimeOffset? OldestAt, long Incidents, long RolledBack,
    double RolledBackShare);

public sealed record IncidentCount(string Step, string Code, long Count, DateTimeOffset OldestAt);

/// <summary>State of a participant.</summary>
/// <param name="Service">Name of the service.</param>
/// <param name="AwaitedBy">Number of sagas waiting for a reply of the service.</param>
/// <param name="OldestAt">Start of the oldest waiting saga: the lag of the service.</param>
/// <param name="LastSeenAt">Time of the last message to this instance; null without a message since the start.</param>
/// <param name="Queue">Inbox of the service; null if the transport does not report queues.</param>
public sealed record ParticipantState(
    string Service, long AwaitedBy, DateTimeOffset? OldestAt, DateTimeOffset? LastSeenAt, QueueState? Queue);

/// <summary>Orders of the last five minutes, capped.</summary>
/// <param name="Seconds">Length of the period.</param>
/// <param name="IsCapped">The five minutes had more orders; the period is shorter.</param>
/// <param name="Placed">Number of orders.</param>
/// <param name="Completed">Number of completed orders.</param>
/// <param name="RolledBack">Number of orders rolled back or in rollback.</param>
/// <param name="PerSecond">Orders placed per second.</param>
/// <param name="MedianMs">Median time from order to completion; null if no order completed.</param>
/// <param name="P99Ms">99th percentile of the same time.</param>
/// <param name="Points">The same over time, oldest first, in equal parts of <paramref name="Seconds"/>.</param>
public sealed record RecentOrders(
    double Seconds, bool IsCapped, long Placed, long Completed, long RolledBack, double PerSecond, double? MedianMs,
    double? P99Ms, IReadOnlyList<RecentPoint> Points);

/// <summary>Orders of a part of the period.</summary>
/// <param name="At">Start of the part.</param>
/// <param name="Placed">Number of orders placed in the part.</param>
/// <param name="Completed">Number completed by now.</param>
/// <param name="RolledBack">Number rolled back by now.</param>
/// <param name="MedianMs">Median time from order to completion; null if no order completed.</param>
public sealed record RecentPoint(DateTimeOffset At, long Placed, long Completed, long RolledBack, double? MedianMs);
