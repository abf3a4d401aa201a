using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;

namespace Orderwright.SagaCoordinator.Notices;

/// <summary>Notices of new, worsening and resolved incidents, by webhook and by e-mail: <c>ORDERWRIGHT_{NAME}</c>.</summary>
public sealed class NoticeSettings
{
    /// <summary>Address that receives notices as a webhook. Default: none.</summary>
    public string NoticeUrl { get; set; } = "";

    /// <summary>Secret that signs the webhook: <c>whsec_</c> and the base64 of 24 to 64 bytes.</summary>
    public string NoticeSecret { get; set; } = "";

    /// <summary>
    /// Networks that are not public and may receive the webhook, in CIDR notation, separated by commas. A server without keys
    /// also allows the loopback interface.
    /// </summary>
    public string NoticeNetworks { get; set; } = "";

    /// <summary>
    /// Mail server, such as <c>smtp://user:password@mail.example.com:587</c>; <c>smtps</c> for TLS from the beginning. A password
    /// is sent over TLS only. Default: no e-mail.
    /// </summary>
    public string NoticeSmtp { get; set; } = "";

    /// <summary>Sender of e-mails.</summary>
    public string NoticeFrom { get; set; } = "";

    /// <summary>Receivers of e-mails, separated by commas.</summary>
    public string NoticeTo { get; set; } = "";

    /// <summary>Shortest time between two notices. What changes meanwhile is in the next one.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan NoticeEvery { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Hours of the day without notices, in UTC, such as <c>22:00-06:30</c>. What changes meanwhile is in the first notice
    /// afterwards. Default: none.
    /// </summary>
    public string NoticeQuiet { get; set; } = "";

    /// <summary>Reads the settings. Throws <see cref="InvalidSettingException"/> for invalid values.</summary>
    public static NoticePlan Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<NoticeSettings>();
        var networks = ReceiverNetworks.Read(
            "NOTICE_NETWORKS", settings.NoticeNetworks, allowsLoopback: configuration["KEYS"] is not { Length: > 0 });
        Uri? url = null, smtp = null;
        if (settings.NoticeUrl.Length > 0)
        {
            if (!Uri.TryCreate(settings.NoticeUrl, UriKind.Absolute, out url) || url.Scheme is not ("https" or "http"))
                throw new InvalidSettingException("NOTICE_URL", settings.NoticeUrl, "an address with https, or http if allowed");
            if (!WebhookSignature.IsSecret(settings.NoticeSecret))
                throw new InvalidSettingException("NOTICE_SECRET", "(hidden)", "whsec_ and the base64 of 24 to 64 bytes");
        }
        if (settings.NoticeSmtp.Length > 0)
        {
            if (!Uri.TryCreate(settings.NoticeSmtp, UriKind.Absolute, out smtp) || smtp.Scheme is not ("smtp" or "smtps"))
                throw new InvalidSettingException("NOTICE_SMTP", "(hidden)", "smtp://host:port or smtps://host:port");
            if (!MailNotices.AreAddresses(settings.NoticeFrom))
                throw new InvalidSettingException("NOTICE_FROM", settings.NoticeFrom, "an e-mail address");
            if (!MailNotices.AreAddresses(settings.NoticeTo))
                throw new InvalidSettingException("NOTICE_TO", settings.NoticeTo, "e-mail addresses, separated by commas");
        }
        return new(url, smtp, networks, settings, QuietHours.Parse(settings.NoticeQuiet)
            ?? throw new InvalidSettingException("NOTICE_QUIET", settings.NoticeQuiet, "hours such as 22:00-06:30"));
    }
}

/// <summary>Checked settings of notices.</summary>
public sealed record NoticePlan(
    Uri? Url, Uri? Smtp, ReceiverNetworks Networks, NoticeSettings Settings, QuietHours Quiet)
{
    public const string Webhook = "webhook";
    public const string Mail = "mail";

    /// <summary>Channels to send by; none for a coordinator without receivers.</summary>
    public IReadOnlyList<string> Channels { get; } =
        [.. new[] { Url is null ? null : Webhook, Smtp is null ? null : Mail }.OfType<string>()];
}

/// <summary>Hours of the day, in UTC, that may pass midnight; empty for none.</summary>
public sealed record QuietHours(TimeOnly From, TimeOnly To)
{
    public bool Contains(DateTimeOffset now) =>
        From != To && TimeOnly.FromTimeSpan(now.UtcDateTime.TimeOfDay).IsBetween(From, To);

    /// <summary>Parses <c>22:00-06:30</c>; no hours for an empty text, and null for anything else.</summary>
    public static QuietHours? Parse(string text) =>
        text.Length == 0 ? new(default, default)
        : text.Split('-') is [var from, var to]
            && TimeOnly.TryParseExact(from, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var start)
            && TimeOnly.TryParseExact(to, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var end)
            ? new(start, end) : null;
}
