using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Orderwright.CustomerService.Providers;
using Orderwright.CustomerService.Providers.Sandbox;
using Orderwright.Hosting;
using Orderwright.Http;
using Orderwright.Runtime;

namespace Orderwright.SandboxGateway;

/// <summary>
/// The sandbox as another company would run it: a process with a database of its own, reached over the contract of
/// docs/http-gateway.md. What it holds is what our record is checked against.
/// </summary>
public sealed class GatewayModule : IServiceModule
{
    public string Name => "payment-gateway";

    public ServiceParts Build(ServiceContext context)
    {
        var settings = context.Configuration.Bind<GatewaySettings>();
        var signature = new Signature(SecretOf(settings, context.Configuration));
        var gateway = new SandboxLedger(context);
        var webhooks = settings.Webhook.Length == 0
            ? null
            : new WebhookSender(AddressOf(settings.Webhook), signature, context.Time, context.Logs);
        var api = new GatewayApi(
            gateway, new ChargeList(context.Database, context.Sql), signature, settings.Behaviour(), webhooks,
            SandboxSettings.Read(context.Configuration).SandboxSlow, context.Time);
        return new HttpParts
        {
            Loops = webhooks is null ? [gateway.Loop] : [gateway.Loop, webhooks.Loop],
            Routes = api.Map,
        };
    }

    /// <summary>Once it is ready: how customer-service is pointed at it.</summary>
    public static AfterReady TellHowToReachIt(IConfiguration configuration, ILoggerFactory logs)
    {
        var told = configuration.Bind<GatewaySettings>().GatewaySecret.Length > 0
            ? "ORDERWRIGHT_GATEWAY_SECRET as here"
            : $"ORDERWRIGHT_GATEWAY_SECRET_FILE={SecretFile(configuration)}";
        return (url, _) =>
        {
            Console.WriteLine($"For customer-service: ORDERWRIGHT_GATEWAY_URL={new Uri(url, "v1")}, {told}");
            return Task.CompletedTask;
        };
    }

    static byte[] SecretOf(GatewaySettings settings, IConfiguration configuration)
    {
        var secret = settings.GatewaySecret;
        if (secret.Length == 0)
        {
            var file = SecretFile(configuration);
            if (!File.Exists(file)) Write(file, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)));
            secret = File.ReadAllText(file).Trim();
        }
        return secret.Length >= Signature.LeastSecret
            ? Encoding.UTF8.GetBytes(secret)
            : throw new InvalidSettingException(
                $"{Settings.Prefix}GATEWAY_SECRET has {secret.Length} characters. Allowed: " +
                $"{Signature.LeastSecret} or more, or none for one of its own.");
    }

    static string SecretFile(IConfiguration configuration) =>
        Path.GetFullPath(Path.Combine(configuration["DATA"] is { Length: > 0 } data ? data : "./data", "gateway.secret"));

    static void Write(string file, string secret)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new StreamWriter(file, options);
        stream.WriteLine(secret);
    }

    static Uri AddressOf(string webhook) =>
        Uri.TryCreate(webhook, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            ? url
            : throw new InvalidSettingException(
                "WEBHOOK", webhook, "an address such as https://shop.example.com/api/v1/webhooks/http");
}
