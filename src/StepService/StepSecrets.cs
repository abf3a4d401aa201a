using Orderwright.Http.Outgoing;

namespace Orderwright.StepService;

/// <summary>Secrets that a coordinator shares with its participants: a file per step, read whenever it is needed.</summary>
public sealed class StepSecrets(string directory)
{
    const int MaxSecrets = 4;

    /// <summary>Reads the secrets of a step, or the reason why there are none.</summary>
    public (IReadOnlyList<string> Secrets, string? Fault) Of(string step)
    {
        if (directory.Length == 0)
            return (
                [], $"ORDERWRIGHT_STEP_SECRETS is required: a directory with the file {step}, which holds whsec_ and base64.");
        var path = Path.Combine(directory, step);
        try
        {
            string[] lines =
                [.. File.ReadLines(path).Take(MaxSecrets).Select(line => line.Trim()).Where(line => line.Length > 0)];
            return lines.Length > 0 && Array.TrueForAll(lines, WebhookSignature.IsSecret)
                ? (lines, null)
                : ([], $"The file {path} must hold secrets, one a line: whsec_ and the base64 of 24 to 64 bytes.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ([], $"The secrets of the step {step} cannot be read: {error.Message}");
        }
    }
}
