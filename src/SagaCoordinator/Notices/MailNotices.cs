using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Orderwright.SagaCoordinator.Notices;

/// <summary>Sends notices by e-mail.</summary>
static class MailNotices
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    public static bool AreAddresses(string text) =>
        text.Length > 0 && InternetAddressList.TryParse(text, out var list) && list.Mailboxes.Any();

    /// <summary>Sends an e-mail. Throws when the server does not accept it.</summary>
    public static async Task SendAsync(NoticePlan plan, PendingNotice notice, CancellationToken cancel)
    {
        var server = plan.Smtp!;
        using var message = MessageOf(plan.Settings, notice);
        using var client = new SmtpClient { Timeout = (int)Timeout.TotalMilliseconds };
        var user = Uri.UnescapeDataString(server.UserInfo).Split(':', 2);
        var security = server.Scheme == "smtps" ? SecureSocketOptions.SslOnConnect
            : server.UserInfo.Length > 0 ? SecureSocketOptions.StartTls
            : SecureSocketOptions.StartTlsWhenAvailable;
        var port = server.Port > 0 ? server.Port : server.Scheme == "smtps" ? 465 : 25;
        await client.ConnectAsync(server.Host, port, security, cancel);
        if (user is [var name, var password]) await client.AuthenticateAsync(name, password, cancel);
        await client.SendAsync(message, cancel);
        await client.DisconnectAsync(quit: true, cancel);
    }

    static MimeMessage MessageOf(NoticeSettings settings, PendingNotice notice)
    {
        var message = new MimeMessage
        {
            // The same in every attempt, so that mailboxes recognize repetitions.
            MessageId = $"{notice.Id:N}@orderwright",
            Date = notice.At,
            Subject = $"Orderwright incidents: {NoticeRules.Words(notice.Lines[0])}"
                + (notice.Lines.Count > 1 ? $" and {notice.Lines.Count - 1} more" : ""),
            Body = new TextPart("plain")
            {
                Text = string.Join('\n', notice.Lines.Select(NoticeRules.Words))
                    + "\n\n./orderwright incidents lists them; docs/operations/incidents/ says what to do about each code.\n",
            },
        };
        message.From.AddRange(InternetAddressList.Parse(settings.NoticeFrom));
        message.To.AddRange(InternetAddressList.Parse(settings.NoticeTo));
        return message;
    }
}
