using Orderwright.Contracts;

namespace Orderwright.OrderService.Webhooks;

/// <summary>Receiver of webhooks.</summary>
/// <param name="Id">Id of the endpoint.</param>
/// <param name="Channel">Channel whose orders are sent; null for all channels.</param>
/// <param name="Url">Absolute address, http or https.</param>
/// <param name="Types">Event types, or <c>*</c> alone for all.</param>
/// <param name="Description">Words for people; null for none.</param>
/// <param name="Secrets">Secrets that sign.</param>
/// <param name="State">One of <see cref="EndpointStates"/>.</param>
/// <param name="Reason">One of <see cref="DisabledReasons"/>; null while active.</param>
/// <param name="Progress">Position in the feed, and the health of the receiver.</param>
/// <param name="Version">Incremented by each change of a caller.</param>
/// <param name="CreatedAt">Time of creation.</param>
/// <param name="UpdatedAt">Time of the last change of a caller.</param>
public sealed record WebhookEndpoint(
    Guid Id, string? Channel, string Url, IReadOnlyList<string> Types, string? Description, EndpointSecrets Secrets,
    string State, string? Reason, EndpointProgress Progress, long Version, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <summary>Secrets of an endpoint. Both sign during the overlap after a rotation.</summary>
/// <param name="Current"><c>whsec_</c> and base64.</param>
/// <param name="Old">Secret before the last rotation; null for none.</param>
/// <param name="OldUntil">End of the overlap.</param>
public sealed record EndpointSecrets(string Current, string? Old = null, DateTimeOffset? OldUntil = null)
{
    /// <summary>Secrets that sign at a given time, the current secret first.</summary>
    public IReadOnlyList<string> At(DateTimeOffset now) => Old is not null && now < OldUntil ? [Current, Old] : [Current];
}

/// <summary>Progress of an endpoint, saved after each round.</summary>
/// <param name="Position">Every event up to this <c>seq</c> was sent, recorded for a retry, or is of no interest.</param>
/// <param name="Failures">Rounds in a row without a delivered event.</param>
/// <param name="FailingSince">Time of the first of these rounds; null while events are delivered.</param>
/// <param name="NextRoundAt">Earliest time of the next round.</param>
public sealed record EndpointProgress(
    long Position, int Failures, DateTimeOffset? FailingSince, DateTimeOffset NextRoundAt)
{
    public bool IsFailing => Failures > 0;
}
