using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orderwright.Http;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Notices;

/// <summary>Body of a notice's webhook.</summary>
/// <param name="Type">Always <c>incidents.changed</c>.</param>
/// <param name="Timestamp">Time of the comparison.</param>
/// <param name="Data">Changes.</param>
public sealed record NoticePayload(string Type, DateTimeOffset Timestamp, NoticeData Data);

/// <param name="Changes">1 or more.</param>
public sealed record NoticeData(IReadOnlyList<NoticeLine> Changes);

/// <summary>
/// Sends notices of incidents, at least once per channel. The row is the outbox: a notice is stored before it is sent, and taken
/// up again when its lease ends. Of several instances, the one whose update finds the version it read sends.
/// </summary>
public sealed partial class SendNotices
{
    // Longer than both channels may take.
    static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    sealed record Row(long Version, IReadOnlyList<IncidentGroup> Told, PendingNotice? Pending, DateTimeOffset DueAt);

    readonly NoticePlan plan;
    readonly OverviewReader overview;
    readonly ServiceContext context;
    readonly ILogger<SendNotices> log;
    readonly SignedCaller caller;
    readonly Channel<(PendingNotice Notice, long Version, IReadOnlyList<IncidentGroup> Told)> ready =
        Channel.CreateBounded<(PendingNotice, long, IReadOnlyList<IncidentGroup>)>(1);

    public SendNotices(NoticePlan plan, OverviewReader overview, ServiceContext context)
    {
        (this.plan, this.overview, this.context) = (plan, overview, context);
        log = context.Logs.CreateLogger<SendNotices>();
        caller = new(new(TimeSpan.FromSeconds(20), 1), plan.Networks, context.Time);
    }

    public TimedJob Job => new("send-notices", Interval, PrepareAsync);

    public BackgroundLoop Loop => new("notices", RunAsync);

    async Task<int> PrepareAsync(Work work, int most)
    {
        var rows = await work.QueryAsync(
            context.Sql["incident_notice"], SqlArgs.None,
            row => new Row(
                row.BigInt("version"),
                JsonSerializer.Deserialize(row.Text("told"), NoticeJson.Default.IReadOnlyListIncidentGroup)!,
                row.TextOrNull("pending") is { } json
                    ? JsonSerializer.Deserialize(json, NoticeJson.Default.PendingNotice) : null,
                row.Time("due_at")));
        if (rows is not [var last])
        {
            await work.ExecuteAsync(context.Sql["begin_incident_notices"], SqlArgs.With("now", work.Now));
            return 0;
        }
        if (last.DueAt > work.Now || plan.Quiet.Contains(work.Now)) return 0;
        var notice = last.Pending is { } pending
            ? pending with { Attempts = pending.Attempts + 1 }
            : await NewAsync(work, last.Told);
        if (notice is null || !await SaveAsync(work, last.Version, last.Told, notice, work.Now + Lease)) return 0;
        work.AfterCommit(() => ready.Writer.TryWrite((notice, last.Version + 1, last.Told)));
        return 1;
    }

    async Task<PendingNotice?> NewAsync(Work work, IReadOnlyList<IncidentGroup> told)
    {
        var open = (await overview.ReadOpenAsync(ChannelSet.All, work.Now, default))
            .Where(group => group.State == SagaNames.Of(SagaStatus.Failed))
            .GroupBy(group => (Step: group.Step ?? "", Code: group.Code ?? ""))
            .Select(group => new IncidentGroup(group.Key.Step, group.Key.Code, group.Sum(sagas => sagas.Count))).ToList();
        var lines = NoticeRules.Compare(told, open);
        return lines.Count == 0 ? null
            : new(work.NewId(), work.Now, lines, NoticeRules.After(told, lines), [], 1);
    }

    async Task RunAsync(CancellationToken cancel)
    {
        await foreach (var (notice, version, told) in ready.Reader.ReadAllAsync(cancel))
        {
            var done = notice.Done.ToList();
            foreach (var channel in plan.Channels.Except(notice.Done).ToList())
                if (await SendAsync(channel, notice, cancel))
                    done.Add(channel);
            var isOver = plan.Channels.All(done.Contains) || notice.Attempts >= NoticeRules.MostAttempts;
            if (!plan.Channels.All(done.Contains) && isOver) LogGivenUp(notice.Id, notice.Attempts);
            try
            {
                await context.Runner.RunOnceAsync(
                    work => isOver
                        ? SaveAsync(work, version, notice.Told, null, work.Now + plan.Settings.NoticeEvery)
                        : SaveAsync(
                            work, version, told, notice with { Done = done },
                            work.Now + NoticeRules.PauseAfter(notice.Attempts)),
                    cancel);
            }
            catch (Exception error) when (!cancel.IsCancellationRequested)
            {
                // The notice is sent again when its lease ends, under the same id.
                LogNotSaved(notice.Id, error.Message);
            }
        }
    }

    async Task<bool> SendAsync(string channel, PendingNotice notice, CancellationToken cancel)
    {
        try
        {
            if (channel == NoticePlan.Mail)
            {
                await MailNotices.SendAsync(plan, notice, cancel);
                return true;
            }
            var body = JsonSerializer.SerializeToUtf8Bytes(
                new NoticePayload("incidents.changed", notice.At, new(notice.Lines)), NoticeJson.Default.NoticePayload);
            var attempt = await caller.SendAsync(
                plan.Url!.AbsoluteUri, [plan.Settings.NoticeSecret], new($"notice_{notice.Id:N}", body), cancel);
            if (!attempt.Succeeded) LogFailed(channel, $"status {attempt.Status}: {attempt.Response}");
            return attempt.Succeeded;
        }
        // A mail server can fail in many ways; each is retried.
        catch (Exception error) when (!cancel.IsCancellationRequested)
        {
            LogFailed(channel, error.Message);
            return false;
        }
    }

    async Task<bool> SaveAsync(
        Work work, long version, IReadOnlyList<IncidentGroup> told, PendingNotice? pending, DateTimeOffset dueAt) =>
        await work.ExecuteAsync(
            context.Sql["save_incident_notice"],
            SqlArgs.With("told", JsonSerializer.Serialize(told, NoticeJson.Default.IReadOnlyListIncidentGroup))
                .And("pending", pending is null ? null : JsonSerializer.Serialize(pending, NoticeJson.Default.PendingNotice))
                .And("due_at", (DateTimeOffset?)dueAt).And("version", (long?)version)) == 1;

    [LoggerMessage(3401, LogLevel.Warning, "A notice of incidents was not sent by {Channel}, and is retried: {Why}")]
    partial void LogFailed(string channel, string why);

    [LoggerMessage(3402, LogLevel.Error, "The notice {Id} of incidents was given up after {Attempts} attempts")]
    partial void LogGivenUp(Guid id, int attempts);

    [LoggerMessage(3403, LogLevel.Warning, "The notice {Id} of incidents may be sent twice: {Why}")]
    partial void LogNotSaved(Guid id, string why);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcMillisecondsConverter)])]
[JsonSerializable(typeof(IReadOnlyList<IncidentGroup>))]
[JsonSerializable(typeof(PendingNotice))]
[JsonSerializable(typeof(NoticePayload))]
sealed partial class NoticeJson : JsonSerializerContext;
